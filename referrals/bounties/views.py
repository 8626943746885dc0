"""Bounties and what was handed in, as the JSON doors show them; and the words of pages."""

from collections.abc import Sequence

import asyncpg

from app import clock
from app.i18n import gettext as _
from app.money import Money
from referrals.bounties import queries
from referrals.bounties.schemas import BountyView, FileView, SubmissionView


async def bounty_views(bounties: Sequence[asyncpg.Record], member_id: int | None) -> list[BountyView]:
    """With what the member handed in for the period that runs. Four queries, however many."""
    now = clock.now()
    mine = await queries.submissions_by([one["id"] for one in bounties], member_id)
    current = {
        one["id"]: next(
            (x for x in mine[one["id"]] if x["period"] == queries.period_at(one["period"], now)),
            None,
        )
        for one in bounties
    }
    shown = {view.bounty: view for view in await submission_views([one for one in current.values() if one])}
    return [
        BountyView(
            id=str(one["id"]),
            store=one["store_slug"],
            store_name=one["store_name"],
            title=one["title"],
            brief=one["brief"],
            pays=Money(one["amount"], one["currency"]),
            most_awards=one["most_awards"],
            awarded=one["awarded"],
            opens_at=one["opens_at"],
            closes_at=one["closes_at"],
            period=one["period"],
            metric=one["metric"],
            least=one["least"],
            needs_proof=one["needs_proof"],
            state=queries.state_of(one, now),
            mine=shown.get(str(one["id"])),
        )
        for one in bounties
    ]


async def submission_views(submissions: Sequence[asyncpg.Record]) -> list[SubmissionView]:
    files = await queries.files_of([one["id"] for one in submissions])
    counted = await queries.counted_for(submissions)
    return [
        SubmissionView(
            id=str(one["id"]),
            bounty=str(one["bounty_id"]),
            member=one["handle"],
            period=one["period"],
            state=one["state"],
            proof_url=one["proof_url"],
            note=one["note"],
            reach=one["reach"],
            counted=counted.get(one["id"]),
            files=[file_view(file) for file in files[one["id"]]],
            reason=one["reason"],
            created_at=one["created_at"],
            decided_at=one["decided_at"],
        )
        for one in submissions
    ]


def file_view(file: asyncpg.Record) -> FileView:
    url = f"/api/v1/earn/bounties/files/{file['id']}"
    return FileView(str(file["id"]), file["name"], file["media_type"], file["bytes"], url)


def metric_words(metric: str) -> str:
    return {
        "": _("Nothing in particular"),
        "views": _("Views, as they say"),
        "likes": _("Likes, as they say"),
        "comments": _("Comments, as they say"),
        "clicks": _("People on their links, counted here"),
        "orders": _("Orders by them, counted here"),
    }[metric]


def period_words(period: str) -> str:
    return {
        "": _("Once to each member"),
        "week": _("Once a week to each member"),
        "month": _("Once a month to each member"),
    }[period]
