"""`grapevine tax`: from which sums a tax number is asked for, or tax kept back."""

import click

from app.cli import as_json, tell, with_database


@click.group()
def tax() -> None:
    """Thresholds of tax offices, as data."""


@tax.command(name="thresholds", epilog="Example: grapevine tax thresholds --json")
@as_json
@with_database
async def show_thresholds(json_output: bool) -> None:
    """Every threshold that counts: the shipped ones, with your own in their place."""
    import msgspec

    from app.money import Money, format_money
    from referrals.payouts.taxes import thresholds

    rows = sorted(await thresholds(), key=lambda row: (row.regime, row.country, row.since_year))
    lines = [
        f"{row.regime} ({row.country}) since {row.since_year}: {row.action}"
        f" from {format_money(Money(row.amount, row.currency), accounting=True)} a year"
        + (f", {row.withhold_bps / 100:g} % while there is no number" if row.withhold_bps else "")
        for row in rows
    ]
    tell({"thresholds": [msgspec.to_builtins(row) for row in rows]}, json_output, "\n".join(lines))


@tax.command(
    name="set",
    epilog="Example: grapevine tax set --regime 'US 1099-NEC' --country US --currency USD --amount 200000"
    " --action withhold --withhold-bps 2400 --since 2026",
)
@click.option("--regime", required=True, help="What it is called; a shipped name stands in for the shipped row.")
@click.option("--country", required=True, help="Two letters, or EU.")
@click.option("--currency", required=True, help="The currency the sum is in; others are not converted.")
@click.option("--amount", type=int, required=True, help="From this sum a calendar year on, in minor units.")
@click.option("--action", type=click.Choice(["tell", "ask", "withhold"]), required=True, help="What follows.")
@click.option("--withhold-bps", type=int, default=0, help="With withhold: basis points kept back without a number.")
@click.option("--since", "since_year", type=int, required=True, help="The first year it holds.")
@as_json
@with_database
async def set_threshold(json_output: bool, **told: str | int) -> None:
    """Add a threshold, or change your own of the same regime, country and year."""
    from referrals.payouts.taxes import set_threshold
    from referrals.payouts.thresholds import Threshold

    await set_threshold(Threshold(**told))  # type: ignore[arg-type]
    tell({"ok": True, **told}, json_output, f"{told['regime']} holds from {told['since_year']} on.")
