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
    try:
        moment = datetime.fromisoformat(since)
    except ValueError as error:
        raise click.BadParameter("a time like 2026-11-20T08:00:00Z", param_hint="--since") from error
    queued = await replay(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    tell({"queued": queued}, json_output, f"{queued} messages will be read again.")
