"""What rules ask: all that is known of one commission, and of the member who earns it."""

from collections.abc import Sequence

import msgspec


class Facts(msgspec.Struct, kw_only=True):
    role: str = "sharer"
    same_mailbox: bool = False
    own_device_days: int = 0
    """Days on which the click, or the buyer, came from a browser in which the member was signed in."""
    device_key: str = ""
    own_address_orders: int = 0
    address: str = ""
    own_card_orders: int = 0
    card: str = ""
    own_phone_orders: int = 0
    is_own_number: bool = False
    """The buyer named the number that the member has proven to be theirs."""
    phone: str = ""
    ring_customers: int = 0
    circle_orders: int = 0
    """Orders each way in a quarter, at the weakest place of a circle of two or three members who buy by one another."""
    circle_members: int = 0
    cluster: str = ""
    cluster_members: int = 0
    cluster_signs: dict[str, int] = {}
    cluster_orders: int = 0
    buyer: str = ""
    orders_hour: int = 0
    signups_hour: int = 0
    clicks_day: int = 0
    orders_day: int = 0
    spread_percent: int = 100
    one_browser_percent: int = 0
    data_centre_percent: int = 0
    hidden_week: int = 0
    visits_week: int = 0
    hidden_kinds: str = ""
    measured_week: int = 0
    """Visits whose page could tell how long it was seen: visits by others to the same place were told of."""
    fleeting_week: int = 0
    measured_others: int = 0
    fleeting_others: int = 0
    code: str = ""
    code_state: str = "ok"
    cold_uses: int = 0
    paid_param: str = ""
    link_code: str = ""
    placement: str = ""
    referrer: str = ""
    new_sites: Sequence[tuple[str, int]] = ()
    """Sites that send people to the link for the first time, and how many each."""
    sites_a_week: int = 0
    known_visits: int = 0
    orders_quarter: int = 0
    returned_quarter: int = 0
    path_orders: int = 0
    path_orders_others: int = 0
    path_late: int = 0
    path_late_others: int = 0
    path_led: int = 0
    path_led_others: int = 0
    path_unmet: int = 0
    path_unmet_others: int = 0
    delays: Sequence[float] = ()
    """Seconds from click to order, of the member's orders and of everybody else's."""
    delays_of_others: Sequence[float] = ()
