from app.events import Event


class SignedIn(Event):
    """A member signed in, or up, in a browser that remembers the click `gv` (or none)."""

    member_id: int
    gv: str = ""


class TokenMade(Event):
    """A program has a key to this member's account."""

    member_id: int
    token_id: int
    scopes: list[str]


class TokensRevoked(Event):
    """These keys to this member's account open nothing more."""

    member_id: int
    token_ids: list[int]


class PasswordForgotten(Event):
    """Somebody asks for a way back into this member's account."""

    member_id: int


class PasswordChanged(Event):
    """The member has a new password; all sessions but the one that changed it are over."""

    member_id: int
