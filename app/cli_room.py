"""`grapevine room`: whether a room's history is whole."""

import click
import msgspec

from app.cli import Failed, as_json, tell, with_database


@click.group()
def room() -> None:
    """Chat rooms."""


@room.command(epilog="Example: grapevine room check 7 --upto 120 --epoch fw2229b")
@click.argument("room_id", type=click.IntRange(1, 2**63 - 1), metavar="ROOM")
@click.option("--upto", type=click.IntRange(0, 2**53), help="The number a member's page says it is complete up to.")
@click.option("--epoch", help="The epoch that page names.")
@as_json
@with_database
async def check(room_id: int, upto: int | None, epoch: str | None, json_output: bool) -> None:
    """Check that every event of a room is there, without a hole; exit 1 when one is not.

    A member finds the three values in the menu of the room, below "Complete up to".
    """
    from community.chat.complete import check as look_through

    found = await look_through(room_id, upto=upto, epoch=epoch)
    said = "\n".join(found.errors) or f"Room {room_id} is whole up to #{found.checked}: {found.events} events."
    tell({"ok": not found.errors, **msgspec.to_builtins(found)}, json_output, said)
    if found.errors:
        raise Failed(f"{len(found.errors)} things are wrong.")
