"""`grapevine clicks …`: how long visits are kept, and whether they are counted right."""

from datetime import timedelta

import click

from app.cli import Failed, as_json, tell, with_database


@click.group()
def clicks() -> None:
    """Visits through share links."""


@clicks.command(name="drop", epilog="Example: grapevine clicks drop --keep-days 400")
@click.option("--keep-days", type=int, required=True, help="Older days go; at least 60 stay.")
@as_json
@with_database
async def drop(keep_days: int, json_output: bool) -> None:
    """Drop the clicks of old days. What an order, a sign-in or a decision names is kept, and so are the counts."""
    from app import clock
    from referrals.clicks.days import drop_before

    try:
        done = await drop_before(clock.now().date() - timedelta(days=keep_days))
    except ValueError as error:
        raise Failed(str(error)) from error
    tell(
        {"before": str(done.before), "dropped": done.dropped, "kept": done.kept},
        json_output,
        f"Dropped {done.dropped:,} clicks from before {done.before}; {done.kept:,} are still needed and were kept.",
    )


@clicks.command(name="check", epilog="Example: grapevine clicks check --json")
@as_json
@with_database
async def check(json_output: bool) -> None:
    """Compare every count with the clicks it counts; exit 1 when one is wrong."""
    from referrals.clicks.queries import counted_wrongly

    wrong = [{**dict(row), "day": str(row["day"])} for row in await counted_wrongly()]
    said = "\n".join(
        f"link {w['link_id']} {w['day']} {w['kind']}: {w['counted']} counted, {w['there']} there" for w in wrong
    )
    tell({"ok": not wrong, "wrong": wrong}, json_output, said or "Every click is counted once.")
    if wrong:
        raise Failed(f"{len(wrong)} counts are wrong; recounting: grapevine clicks recount")


@clicks.command(name="recount", epilog="Example: grapevine clicks recount")
@as_json
@with_database
async def recount(json_output: bool) -> None:
    """Work the counts out from the clicks again."""
    from referrals.clicks.service import recount as count_again

    await count_again()
    tell({"ok": True}, json_output, "Counted again.")
