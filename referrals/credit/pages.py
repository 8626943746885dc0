from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency

from app import clock
from app.auth import Viewer, require_member
from app.i18n import gettext as _
from app.web import page
from referrals.credit import queries


class CreditPages(Controller):
    include_in_schema = False

    @get("/earn/credit")
    async def mine(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        return page(
            request,
            viewer,
            "referrals/credit/mine.html",
            stores=await queries.credit_of_member(member_id, clock.now()),
            moves=await queries.moves_of_member(member_id),
            move_words=_move_words,
        )


def _move_words(kind: str) -> str:
    return {
        "granted": _("For buying on a friend's word"),
        "reduced": _("Taken back with a refund"),
        "spent": _("Spent at the shop"),
        "given_back": _("Given back by the shop"),
        "expired": _("Ended unspent"),
        "corrected": _("Corrected after its end"),
    }[kind]
