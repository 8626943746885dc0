"""`grapevine export member` and `grapevine erase member`: a person's data is theirs."""

from pathlib import Path

import click

from app.cli import as_json, tell, with_database


@click.group()
def export() -> None:
    """Take data out."""


@click.group()
def erase() -> None:
    """Take data away."""


@export.command(name="member", epilog="Example: grapevine export member ada ./ada-export --json")
@click.argument("handle")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@as_json
@with_database
async def export_member(handle: str, folder: Path, json_output: bool) -> None:
    """Write everything a member owns into DIR (new or empty): JSON files and their pictures."""
    from app import people

    counts = await people.export(handle, folder)
    tell(
        {"handle": handle, "dir": str(folder), "rows": counts},
        json_output,
        f"{sum(counts.values())} rows in {len(counts)} files under {folder}",
    )


@erase.command(name="member", epilog="Example: grapevine erase member ada --yes --json")
@click.argument("handle")
@click.option("--yes", is_flag=True, help="Do not ask.")
@as_json
@with_database
async def erase_member(handle: str, yes: bool, json_output: bool) -> None:
    """Erase a person and keep the books: no way back. What they wrote stays under "a former member"."""
    from app import features, people  # features registers who listens

    assert features
    if not yes and not json_output:
        click.confirm(f"Erase @{handle} for ever?", abort=True)
    erased = await people.erase(handle)
    owned = ", ".join(erased["still_owns_groups"])
    tell(
        erased,
        json_output,
        f"@{handle} is {erased['handle']} now." + (f" Still owner of: {owned}." if owned else ""),
    )
