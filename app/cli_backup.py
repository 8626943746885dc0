"""`grapevine backup FILE` and `grapevine restore FILE`."""

from pathlib import Path

import click
import msgspec

from app.cli import as_json, tell, with_database

ELSEWHERE = " Pictures lie in a bucket and are not in it."


@click.command(epilog="Example: grapevine backup /var/backups/grapevine.tar --json")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@as_json
@with_database
async def backup(file: Path, json_output: bool) -> None:
    """Write the database and the pictures into one FILE, while the server goes on."""
    from app.backup import backup as write

    made = await write(file)
    tell(
        msgspec.to_builtins(made),
        json_output,
        f"{made.file}: {made.bytes:,} bytes, {made.pictures} pictures." + ELSEWHERE * made.pictures_are_elsewhere,
    )


@click.command(epilog="Example: grapevine restore /var/backups/grapevine.tar --yes")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--yes", is_flag=True, help="Also when the database has members: they are replaced.")
@as_json
@with_database
async def restore(file: Path, yes: bool, json_output: bool) -> None:
    """Put a backup in the place of what is there. Stop web and worker first; all or nothing."""
    from app.backup import restore as read

    done = await read(file, replace=yes)
    tell(
        msgspec.to_builtins(done),
        json_output,
        f"Restored from {done.file}, {done.pictures} pictures." + ELSEWHERE * done.pictures_are_elsewhere,
    )
