from app.events import Event


class MemberJoined(Event):
    """Somebody signed up. `gv` is the click that brought them, as their browser told it."""

    member_id: int
    handle: str
    gv: str = ""


class EmailProofWanted(Event):
    """A member asks for the mail that proves their address."""

    member_id: int


class EmailProven(Event):
    """Mail to a member's address reaches them: what is known of that address is theirs."""

    member_id: int


class ProfileChanged(Event):
    member_id: int


class MemberErased(Event):
    """Their name, address and face are gone for ever; what they wrote stays under the id."""

    member_id: int
