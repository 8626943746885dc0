from app.events import Event


class MemberJoined(Event):
    """Somebody signed up. `gv` is the click that brought them, as their browser told it."""

    member_id: int
    handle: str
    gv: str = ""


class ProfileChanged(Event):
    member_id: int


class MemberErased(Event):
    """Their name, address and face are gone for ever; what they wrote stays under the id."""

    member_id: int
