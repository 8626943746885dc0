from typing import Literal

import asyncpg
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, NotFound
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.commissions.reasons import reason_words
from referrals.fraud import cases, examples, queries, words
from referrals.fraud.schemas import CaseList, CaseView, CheckList, CheckView, EvidenceView, Said, Verdict
from storefront.stores.policy import access_own_store


class CheckApi(Controller):
    """What is checked of a member's own commissions."""

    path = "/earn/checks"
    tags = ["earn"]

    @get(summary="What is checked of your commissions, newest first", opt=door(gives=examples.checks, scope="read"))
    async def list_checks(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> CheckList:
        found = await queries.cases_of_member(require_member(viewer, "read"), cursor=after, limit=limit_of(limit))
        concerned = await queries.concerned_by([row["id"] for row in found.items])
        return CheckList([_check(row, concerned) for row in found.items], found.next)

    @post(
        "/{check_id:int}/answers",
        summary="Say something before it is decided, or object afterwards",
        status_code=201,
        opt=door(takes=examples.answer, gives=examples.check, refuses=(NotFound, Conflict), scope="write"),
    )
    async def answer(self, request: Request, viewer: NamedDependency[Viewer], check_id: FromPath[int]) -> CheckView:
        """While it is open this is your word on it. Once it went against you it is your one objection."""
        member_id = require_member(viewer)
        await cases.answer(viewer, check_id, (await json_body(request, Said)).words)
        row = await queries.case_of_member(member_id, check_id)
        return _check(row, await queries.concerned_by([check_id]))


class CaseApi(Controller):
    """The cases of a store."""

    path = "/stores/{slug:str}/cases"
    tags = ["earn"]

    @get(
        summary="Cases of a store, the most urgent first",
        opt=door(gives=examples.cases, refuses=(Forbidden, NotFound), scope="read"),
    )
    async def list_cases(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        view: FromQuery[Literal["open", "late", "appealed", "decided"]] = "open",
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> CaseList:
        """By the store's owner or an admin. Who bought is never told."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        found = await queries.cases_of_store(store["id"], view, cursor=after, limit=limit_of(limit))
        return CaseList(await _views(viewer, found.items), found.next)

    @post(
        "/{case_id:int}/decision",
        summary="Decide a case, or the objection to one",
        status_code=201,
        opt=door(takes=examples.verdict, gives=examples.case, refuses=(Forbidden, NotFound, Conflict), scope="write"),
    )
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], case_id: FromPath[int]
    ) -> CaseView:
        """`clear` or `confirm` an open case; `uphold` or `dismiss` an objection, by somebody else than before."""
        require_member(viewer)
        wanted = await json_body(request, Verdict)
        await cases.give_verdict(viewer, slug, case_id, wanted)
        store = await access_own_store(viewer, slug)
        return (await _views(viewer, [await queries.case_of_store(store["id"], case_id)]))[0]


def _check(row: asyncpg.Record, concerned: dict[int, list[str]]) -> CheckView:
    reason = queries.reason_of(row["rule"])
    return CheckView(
        id=str(row["id"]),
        store=row["store_name"],
        state=row["state"],
        reason=reason,
        words=reason_words(reason),
        opened_at=row["opened_at"].isoformat(),
        due_at=row["due_at"].isoformat(),
        decision=row["resolution"],
        commissions=concerned.get(row["id"], []),
    )


async def _views(viewer: Viewer, rows: list[asyncpg.Record]) -> list[CaseView]:
    ids = [row["id"] for row in rows]
    concerned = await queries.concerned_by(ids)
    # Nobody reads here what gave themselves away.
    seen = await queries.seen_in([row["id"] for row in rows if cases.may_decide(viewer, row)])
    return [
        CaseView(
            id=str(row["id"]),
            member=row["handle"],
            rule=row["rule"],
            state=row["state"],
            opened_at=row["opened_at"].isoformat(),
            due_at=row["due_at"].isoformat(),
            is_late=row["state"] in ("open", "appealed") and row["due_at"] < clock.now(),
            commissions=concerned.get(row["id"], []),
            evidence=[
                EvidenceView(one["at"].isoformat(), words.evidence_words(one["rule"], one["evidence"]))
                for one in seen.get(row["id"], [])
            ],
        )
        for row in rows
    ]
