"""`grapevine webhooks …`: what shops sent and we could not use."""

from datetime import UTC, datetime

import click

from app.cli import as_json, tell, with_database


@click.group()
def webhooks() -> None:
    """Messages of shops."""


@webhooks.command(name="flagged", epilog="Example: grapevine webhooks flagged")
@as_json
@with_database
async def list_flagged(json_output: bool) -> None:
    """List messages that contradict themselves or were not understood, with the reason."""
    from storefront.connectors.queries import unapplied

    rows = [dict(row) for row in await unapplied()]
    lines = "\n".join(
        f"{row['received_at']:%Y-%m-%d %H:%M}  {row['store']}  {row['topic']}  {row['note']}" for row in rows
    )
    tell({"flagged": rows}, json_output, lines or "Every message was applied.")


@webhooks.command(name="replay", epilog="Example: grapevine webhooks replay --since 2026-11-20T08:00:00Z")
@click.option(
    "--since", required=True, help="A time like 2026-11-20 or 2026-11-20T08:00:00Z (UTC when it says nothing)."
)
@as_json
@with_database
async def replay_unapplied(since: str, json_output: bool) -> None:
    """Read flagged messages again, for example after a currency or a product was added."""
    from app import features  # registers who reads them
    from storefront.connectors.service import replay

    assert features
    queued = await replay(_moment(since))
    tell({"queued": queued}, json_output, f"{queued} messages will be read again.")


@webhooks.command(name="held", epilog="Example: grapevine webhooks held")
@as_json
@with_database
async def list_held(json_output: bool) -> None:
    """List orders whose amounts do not add up; nothing is earned on them until they are cleared."""
    from storefront.connectors.queries import held_orders

    rows = [dict(row) for row in (await held_orders(limit=100)).items]
    lines = "\n".join(f"{row['store']}  {row['external_id']}  {row['doubt']}" for row in rows)
    tell({"held": rows}, json_output, lines or "No order is in doubt.")


@webhooks.command(
    name="clear", epilog="Example: grapevine webhooks clear --store northfold --order 1001 --note 'a tip'"
)
@click.option("--store", "slug", required=True)
@click.option("--order", "external_id", required=True, help="The order's id in the store.")
@click.option("--note", default="", help="Why it is right; kept with the order.")
@as_json
@with_database
async def clear_held(slug: str, external_id: str, note: str, json_output: bool) -> None:
    """Say that an order's amounts are right as they are; from now on it earns."""
    from app import features  # registers who settles it
    from app.auth import Viewer
    from app.errors import NotFound
    from storefront.orders.doubts import clear_doubt
    from storefront.orders.queries import order_of_store
    from storefront.stores.queries import store_by_slug

    assert features
    store = await store_by_slug(slug)
    order = await order_of_store(store["id"], external_id)
    if order is None:
        raise NotFound(f"{slug} has told of no order “{external_id[:40]}”.")
    is_cleared = await clear_doubt(Viewer(), store, order["id"], note)
    said = f"Order {external_id} counts from now on." if is_cleared else "Nothing was in doubt about this order."
    tell({"cleared": is_cleared}, json_output, said)


@webhooks.command(name="pull", epilog="Example: grapevine webhooks pull --store northfold --since 2026-11-20")
@click.option("--store", "slug", required=True)
@click.option("--since", help="A time like 2026-11-20 (UTC); three days back when missing.")
@as_json
@with_database
async def pull_store(slug: str, since: str | None, json_output: bool) -> None:
    """Ask a store what it sold, make up for what its webhooks left out, and report it."""
    import msgspec

    from app import features  # registers who settles it
    from app.cli import Failed
    from storefront.connectors.reconcile import reconcile
    from storefront.stores.queries import store_by_slug

    assert features
    report = await reconcile(await store_by_slug(slug), _moment(since) if since else None)
    said = f"{report.seen} messages; {report.missed} orders were missing, {report.stale} had something new."
    tell(msgspec.to_builtins(report), json_output, said)
    if report.error:
        raise Failed(f"It ended early: {report.error}")


@webhooks.command(name="out", epilog="Example: grapevine webhooks out")
@as_json
@with_database
async def list_told(json_output: bool) -> None:
    """List the addresses that are told what happens, how they are, and how much waits for each."""
    from community.webhooks.queries import everybody_told

    rows = [dict(row) for row in await everybody_told()]
    lines = "\n".join(
        f"{row['owner']}  {row['url']}  {row['off_reason'] or ('resting' if row['resting_until'] else 'on')}"
        f"  {row['waiting']} waiting  last taken {row['taken_at']:%Y-%m-%d %H:%M}"
        if row["taken_at"]
        else f"{row['owner']}  {row['url']}  {row['off_reason'] or 'on'}  {row['waiting']} waiting  nothing taken yet"
        for row in rows
    )
    tell({"endpoints": rows}, json_output, lines or "Nobody is told anything.")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("a time like 2026-11-20T08:00:00Z", param_hint="--since") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
