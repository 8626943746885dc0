from app.events import Event


class AccountToLookAt(Event):
    """A member says the code is in its place."""

    social_account_id: int


class AccountProven(Event):
    """A channel elsewhere was found to be a member's."""

    social_account_id: int
    member_id: int
    platform: str


class AccountLetGo(Event):
    """A member does not want it to be known as theirs any more."""

    member_id: int
    platform: str
