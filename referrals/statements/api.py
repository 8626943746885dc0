from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import NotFound
from app.openapi import door
from app.paging import limit_of
from referrals.statements import examples, service
from referrals.statements.schemas import Months, Proof, Statement


class StatementApi(Controller):
    path = "/earn/statements"
    tags = ["earn"]

    @get(
        summary="The months in which something moved on your accounts",
        opt=door(gives=examples.months, scope="read"),
    )
    async def months(self, viewer: NamedDependency[Viewer]) -> Months:
        return Months(await service.months_of(require_member(viewer, "read")))

    @get(
        "/{month:str}",
        summary="A month's statement: opening, every entry with its reason, closing",
        opt=door(gives=examples.statement, refuses=(NotFound,), scope="read"),
    )
    async def statement(
        self,
        viewer: NamedDependency[Viewer],
        month: FromPath[str],
        currency: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Statement:
        """`month` is like 2026-03, in UTC; `currency`, if left out, the one you last earned in.
        Opening plus all entries is closing, in each bucket."""
        member_id = require_member(viewer, "read")
        currency = await service.currency_for(member_id, month, currency)
        return await service.statement_of(
            member_id, viewer.handle, month, currency, after=after, limit=limit_of(limit, 100)
        )

    @get(
        "/{month:str}/proof",
        summary="Your entries of a month as they were hashed, to check them without us",
        opt=door(gives=examples.proof, refuses=(NotFound,), scope="read"),
    )
    async def proof(
        self, viewer: NamedDependency[Viewer], month: FromPath[str], currency: FromQuery[str | None] = None
    ) -> Proof:
        """For each entry sha256(prev_hash + told) is hash; the entries lead from the opening to the closing."""
        member_id = require_member(viewer, "read")
        currency = await service.currency_for(member_id, month, currency)
        return await service.proof_of(member_id, viewer.handle, month, currency)
