"""Bounties and what was handed in, as the JSON doors show them; and the words of pages."""

from collections.abc import Sequence

import asyncpg

from app import clock
from app.i18n import gettext as _
from app.money import Money
from referrals.bounties import queries, watch_queries
from referrals.bounties.schemas import BountyView, FileView, JumpView, SubmissionView, WatchView
from referrals.socials.views import why_words as blind_words


async def bounty_views(bounties: Sequence[asyncpg.Record], member_id: int | None) -> list[BountyView]:
    """With what the member handed in for the period that runs. Five queries, however many."""
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
            awards_itself=one["awards_itself"],
            state=queries.state_of(one, now),
            mine=shown.get(str(one["id"])),
        )
        for one in bounties
    ]


async def submission_views(submissions: Sequence[asyncpg.Record], *, to_shop: bool = False) -> list[SubmissionView]:
    """When the next look is, the shop alone is told: nobody brings bought figures in time for it."""
    files = await queries.files_of([one["id"] for one in submissions])
    counted = await queries.counted_for(submissions)
    watches = await watch_queries.watches_of([one["id"] for one in submissions])
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
            watch=watch_view(watches[one["id"]], to_shop=to_shop) if one["id"] in watches else None,
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


def watch_view(watch: asyncpg.Record, *, to_shop: bool) -> WatchView:
    jump = JumpView(watch["jump_from"], watch["jump_to"], watch["jump_at"]) if watch["jump_at"] else None
    return WatchView(
        platform=watch["platform"],
        state=watch["state"],
        figure=watch["figure"],
        at=watch["figure_at"],
        top=watch["top"],
        ready=watch["is_ready"],
        why=watch["why"],
        published_at=watch["published_at"],
        changed_at=watch["changed_at"],
        jump=jump,
        next_at=watch["next_at"] if to_shop else None,
    )


def why_words(why: str) -> str:
    """Why a post was refused, or why the last look saw nothing."""
    return {
        "not_yours": _("This post is not by a channel that was proven to be the member’s own."),
        "too_old": _("This post was there before the bounty was offered."),
        "taken": _("This post was handed in for this store already, or its channel by somebody else for this bounty."),
        "hidden": _("The platform does not show this figure of the post."),
    }.get(why) or blind_words(why)


def figure_words(metric: str) -> str:
    return {"views": _("Views"), "likes": _("Likes"), "comments": _("Comments")}.get(metric, "")


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
