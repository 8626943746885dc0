from app.events import Event


class SignedIn(Event):
    """A member signed in, or up, in a browser that remembers the click `gv` (or none)."""

    member_id: int
    gv: str = ""
