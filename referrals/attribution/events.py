from app.events import Event


class CreditOverruled(Event):
    """A person's decision on who is credited for an order came into force, or ended."""

    override_id: int
    order_id: int


class OverrideProposed(Event):
    """A second person must agree before it counts."""

    override_id: int
    store_id: int


class ConversionTold(Event):
    """A store's server told of a sign-up, a lead, an order or an event of its own; once per its external id."""

    conversion_id: int
    store_id: int
