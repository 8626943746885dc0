from app.events import Event


class SignedIn(Event):
    """A member signed in, or up, in a browser that remembers the click `gv` (or none)."""

    member_id: int
    gv: str = ""


class PasswordForgotten(Event):
    """Somebody asks for a way back into this member's account."""

    member_id: int


class PasswordChanged(Event):
    """The member has a new password; all sessions but the one that changed it are over."""

    member_id: int
