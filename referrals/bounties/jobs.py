from app.events import on
from app.jobs import every
from community.notifications.service import notify
from referrals.bounties import keeping, proofs, queries, watching
from referrals.bounties.events import BountyDecided, FigureReached, PostHandedIn


@every("27 4 * * *")
async def sweep_unused_proofs() -> None:
    await proofs.sweep()


@on(PostHandedIn)
async def look_at_once(event: PostHandedIn) -> None:
    await watching.look_at(event.watch_id)


@every("*/5 * * * *")
async def look_again() -> None:
    await watching.look_at_due()


@every("41 4 * * *")
async def sweep_old_figures() -> None:
    await keeping.sweep()


@on(BountyDecided)
async def tell_the_member(event: BountyDecided) -> None:
    if event.verdict != "declined":
        return  # An approval rings by the commission it earned.
    work = await queries.submission(event.submission_id)
    source = f"bounty:{work['id']}:{work['decided_at']:%Y%m%dT%H%M%S}"
    data = {"title": work["title"], "store": work["store_name"]}
    await notify(
        event.member_id, "bounty_declined", source=source, url=f"/earn/bounties/{work['bounty_id']}", data=data
    )


@on(FigureReached)
async def tell_the_shop(event: FigureReached) -> None:
    work = await queries.submission(event.submission_id)
    if work["state"] == "waiting" and work["owner_id"]:
        data = {"title": work["title"], "handle": work["handle"]}
        url = f"/admin/programs/{work['store_slug']}/bounties"
        await notify(work["owner_id"], "bounty_reached", source=f"bounty_reached:{work['id']}", url=url, data=data)
