from piccolo.columns import UUID, BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import count, document, moment, reference, words
from community.members.tables import Member
from referrals.links.tables import Link
from referrals.programs.tables import ProgramVersion
from storefront.orders.tables import Order


class Attribution(Table, tablename="attribution"):
    """A decision: who is credited for an order, by which rule, and why each other candidate was not.

    Never changed; a later version with the next number supersedes it. The newest is in force.
    """

    id = BigSerial(primary_key=True)
    order_id = reference(Order, index=False)
    version = count()
    program_version_id = reference(ProgramVersion)
    winner_id = reference(Member, null=True)
    link_id = reference(Link, null=True)
    click_id = UUID(default=None, null=True)
    rule = words()
    candidates = document()
    shares = document()
    """Who gets which part, in basis points that sum to 10,000; empty: the winner gets it all."""
    decided_at = moment()

    attribution_once_per_version = Unique([order_id, version])
