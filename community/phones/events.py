from app.events import Event


class CodeWanted(Event):
    """A member wants a code sent to a number that they say is theirs."""

    member_id: int
    code_id: int


class PhoneProven(Event):
    """A member typed the code that was sent to a number: it is theirs. Erasing them takes the hint out."""

    member_id: int
    code_id: int
    hint: str = ""


class PhoneRemoved(Event):
    """A member's number is no longer known to be theirs."""

    member_id: int
    phone_id: int
    hint: str = ""
