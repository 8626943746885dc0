"""`grapevine program`: what a store pays."""

from typing import Any

import click

from app.cli import as_json, tell, with_database


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
