"""`grapevine ledger`: whether the books are right, and whether a member's proof holds."""

from pathlib import Path

import click
import msgspec

from app.cli import Failed, as_json, tell, with_database


@click.group()
def ledger() -> None:
    """The books."""


@ledger.command(epilog="Example: grapevine ledger verify --json")
@as_json
@with_database
async def verify(json_output: bool) -> None:
    """Check every entry, sum, hash and projection against the facts; exit 1 when anything drifted."""
    from referrals.books.service import verify as verify_books

    entries, errors = await verify_books()
    said = "\n".join(errors) or f"The books are right: {entries} entries."
    tell({"ok": not errors, "entries": entries, "errors": errors}, json_output, said)
    if errors:
        raise Failed(f"{len(errors)} things are wrong.")


@ledger.command(epilog="Example: grapevine ledger prove statement-2026-03-USD.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@as_json
def prove(file: Path, json_output: bool) -> None:
    """Check a member's proof by itself, without any database: hashes, and that the entries lead to the closing."""
    from referrals.statements.schemas import Proof
    from referrals.statements.service import check_proof

    try:
        proof = msgspec.json.decode(file.read_bytes(), type=Proof)
        errors = check_proof(proof)
    except (msgspec.MsgspecError, ValueError, KeyError) as error:
        raise Failed(f"{file.name} is not a proof: {error}") from error
    said = "\n".join(errors) or f"The proof holds: {len(proof.links)} transactions."
    tell({"ok": not errors, "entries": len(proof.links), "errors": errors}, json_output, said)
    if errors:
        raise Failed(f"{len(errors)} things do not hold.")
