from app.events import Event


class ClickClaimed(Event):
    """A member signed in where this click was made: it counts for them on every device from now on."""

    member_id: int
    click_id: str


class MemberReferred(Event):
    """A member joined through somebody's link."""

    member_id: int
    referrer_id: int
