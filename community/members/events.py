from app.events import Event


class MemberJoined(Event):
    """Somebody signed up. `gv` is the click that brought them, as their browser told it."""

    member_id: int
    handle: str
    gv: str = ""


class ProfileChanged(Event):
    member_id: int
