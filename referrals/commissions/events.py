from app.events import Event


class CommissionEarned(Event):
    """A member earned for the first time on an order line, or, without an order, by something else."""

    commission_id: int
    member_id: int
    order_id: int | None


class CommissionChanged(Event):
    """What stands of a commission, or its state, is another now."""

    commission_id: int
    member_id: int
    order_id: int | None


class BudgetSet(Event):
    """A store opened a budget or changed what it holds."""

    program_id: int
    name: str
    most: int
    currency: str
