from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import reference
from content.live_events.tables import LivePin
from referrals.links.tables import Link


class LivePinLink(Table, tablename="live_pin_link"):
    """A host's own link behind a product that they hold up live: who buys by the card, buys by them."""

    id = BigSerial(primary_key=True)
    pin_id = reference(LivePin, cascade=True, index=False)
    link_id = reference(Link)

    live_pin_link_once = Unique([pin_id])
