from app.events import Event


class CodeUsed(Event):
    """An order carried a code, and it counts."""

    code_id: int
    order_id: int
    is_cold: bool
    """By a new buyer of whom nothing else was known."""


class CodeLeaked(Event):
    """Strangers use a member's code: it counts below clicks from now on, and its owner has a new one."""

    code_id: int
    owner_id: int
    new_code_id: int


class CodeEntered(Event):
    """A member typed a friend's code."""

    code_id: int
    member_id: int


class CodesAwaitShop(Event):
    """Codes were made that a store wants in its own till."""

    store_id: int
