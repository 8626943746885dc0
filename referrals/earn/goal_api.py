from litestar import Controller, Request, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.openapi import door
from app.web import json_body
from referrals.earn import examples, goals
from referrals.earn.schemas import BoardList, GoalList, GoalTold, SeatTaken


class GoalApi(Controller):
    path = "/earn/goals"
    tags = ["earn"]

    @get(summary="Your goals of the month, and how far you are", opt=door(gives=examples.goals, scope="read"))
    async def index(self, viewer: NamedDependency[Viewer]) -> GoalList:
        return GoalList(await goals.goals_of(require_member(viewer, "read")))

    @put(
        "/{currency:str}",
        summary="Set your goal of the month in a currency",
        opt=door(takes=examples.goal_told, gives=examples.goals, scope="write"),
    )
    async def set_goal(self, request: Request, viewer: NamedDependency[Viewer], currency: FromPath[str]) -> GoalList:
        """`amount` in minor units; 0 takes the goal away. Nobody else sees it."""
        member_id = require_member(viewer)
        await goals.set_goal(viewer, currency, (await json_body(request, GoalTold)).amount)
        return GoalList(await goals.goals_of(member_id))


class BoardApi(Controller):
    path = "/earn/board"
    tags = ["earn"]

    @get(summary="The leaderboard of the month, by currency", opt=door(gives=examples.boards, scope="read"))
    async def show(self, viewer: NamedDependency[Viewer]) -> BoardList:
        """Only who asked to stand on it, the first ten, by what is left after refunds; no amounts."""
        return BoardList(await goals.boards_for(require_member(viewer, "read")))

    @put("/seat", summary="Stand on the leaderboard", opt=door(gives=examples.seated, scope="write"))
    async def take_seat(self, viewer: NamedDependency[Viewer]) -> SeatTaken:
        await goals.take_seat(viewer)
        return SeatTaken(True)

    @delete("/seat", status_code=200, summary="Leave the leaderboard", opt=door(gives=examples.left, scope="write"))
    async def leave_seat(self, viewer: NamedDependency[Viewer]) -> SeatTaken:
        """At once, and nothing remains."""
        await goals.leave_seat(viewer)
        return SeatTaken(False)
