import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.money import check_currency
from app.web import form, page, redirect
from referrals.earn import goals
from referrals.programs.editor import as_amount


class GoalForm(msgspec.Struct):
    amount: str = ""
    currency: str = ""


class GoalPages(Controller):
    """/earn/goals and /earn/board: what a member wants to reach, and, who asked for it, how they stand among others."""

    path = "/earn"
    include_in_schema = False

    @get("/goals")
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return await _page(request, viewer)

    @post("/goals")
    async def set_goal(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        typed = GoalForm()
        try:
            typed = await form(request, GoalForm)
            currency = typed.currency.strip().upper()
            await goals.set_goal(viewer, currency, _amount(typed.amount, currency))
        except Problem as problem:
            return await _page(request, viewer, problem, typed)
        return redirect("/earn/goals", flash=_("Noted. Only you see it."))

    @get("/board")
    async def board(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        boards = await goals.boards_for(member_id)
        return page(
            request, viewer, "referrals/earn/board.html", boards=boards, has_seat=await goals.has_seat(member_id)
        )

    @post("/board")
    async def take_seat(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        await goals.take_seat(viewer)
        return redirect("/earn/board", flash=_("You are on the board now."))

    @post("/board/leave")
    async def leave_seat(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        await goals.leave_seat(viewer)
        return redirect("/earn/board", flash=_("You are no longer on the board."))


def _amount(typed: str, currency: str) -> int:
    return as_amount(typed, check_currency(currency), "amount", empty=True)


async def _page(
    request: Request, viewer: Viewer, problem: Problem | None = None, typed: GoalForm | None = None
) -> Response:
    mine = await goals.goals_of(require_member(viewer))
    return page(
        request,
        viewer,
        "referrals/earn/goals.html",
        status=problem.status if problem else 200,
        goals=mine,
        problem=problem,
        typed=typed or GoalForm(currency=mine[0].goal.currency if mine else "USD"),
    )
