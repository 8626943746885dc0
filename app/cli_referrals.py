"""`grapevine program` and `grapevine ledger`: what a store pays, and whether the books are right."""

from typing import Any

import click

from app.cli import Failed, as_json, tell, with_database


@click.group()
def program() -> None:
    """Referral programmes of stores."""


@program.command(name="create", epilog="Example: grapevine program create --store demo --rate-bps 1000 --hold-days 14")
@click.option("--store", "store_slug", required=True, help="The store's slug.")
@click.option("--rate-bps", type=int, required=True, help="Basis points of the net; 1000 is ten percent.")
@click.option("--hold-days", type=int, default=14, show_default=True, help="How long a commission waits for returns.")
@click.option("--window-days", type=int, default=30, show_default=True, help="How long a click counts.")
@click.option("--model", type=click.Choice(["last", "first"]), default="last", show_default=True)
@as_json
@with_database
async def create_program(store_slug: str, json_output: bool, **rules: Any) -> None:
    """Put a referral programme in force, or new rules for orders from now on."""
    from referrals.programs.schemas import Rules
    from referrals.programs.service import publish_rules

    program_id, number = await publish_rules(store_slug, Rules(**rules))
    tell(
        {"id": str(program_id), "store": store_slug, "version": number, **rules},
        json_output,
        f"{store_slug} pays {rules['rate_bps'] / 100:g} % from now on (version {number}).",
    )


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command(epilog="Example: grapevine ledger verify --json")
@as_json
@with_database
async def verify(json_output: bool) -> None:
    """Check every entry, sum, hash, decision and commission against the facts; exit 1 when anything drifted."""
    from referrals.attribution.audit import check_attributions
    from referrals.commissions.audit import check_commissions
    from referrals.ledger.audit import check_balances, check_entries

    entries, errors = await check_entries()
    errors += await check_balances() + await check_commissions() + await check_attributions()
    said = "\n".join(errors) or f"The books are right: {entries} entries."
    tell({"ok": not errors, "entries": entries, "errors": errors}, json_output, said)
    if errors:
        raise Failed(f"{len(errors)} things are wrong.")
