"""Whoever doubts that a page shows all of a room can have it looked up: its sequence has no hole."""

import pytest
from click.testing import CliRunner

from app import db
from app.cli import main
from app.errors import NotFound
from community.chat import complete
from tests.community.test_chat import a_room
from tests.community.test_chat_pages import say
from tests.factories import Browser, a_member, sign_in

pytestmark = pytest.mark.anyio


async def test_a_room_is_whole_and_says_so_on_its_page(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await say(alice, room, "One", "Two")
    where = await db.fetch_one("SELECT seq, epoch FROM room WHERE id = $1", int(room))
    assert where is not None
    page = (await (await sign_in(web(), alice)).get(f"/chat/{room}")).text
    assert f"Complete up to #{where['seq']}" in page
    assert f'value="room {room} epoch {where["epoch"]} #{where["seq"]}"' in page
    found = await complete.check(int(room), upto=where["seq"], epoch=where["epoch"])
    assert (found.errors, found.events, found.checked) == ([], where["seq"], where["seq"])
    assert (await complete.check(int(room), upto=1)).events == 1
    with pytest.raises(NotFound):
        await complete.check(2**40)


async def test_a_hole_another_past_and_a_number_ahead_are_found(web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await say(alice, room, *(f"line {n}" for n in range(8)))
    seq = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
    await db.execute("DELETE FROM room_event WHERE room_id = $1 AND seq IN (3, 4, 6)", int(room))
    found = await complete.check(int(room), upto=7, epoch="other")
    assert found.errors[:2] == ["#3 to #4 are missing.", "#6 to #6 are missing."]
    assert "a backup was restored" in found.errors[2] and len(found.errors) == 3
    assert any("counts 8 messages and holds 5" in error for error in (await complete.check(int(room))).errors)
    ahead = await complete.check(int(room), upto=seq + 5)
    assert f"The page knew #{seq + 5}, the room stands at #{seq}." in ahead.errors
    await db.execute("DELETE FROM room_event WHERE room_id = $1 AND seq = $2", int(room), seq)
    assert f"The last event is #{seq - 1}, not #{seq}." in (await complete.check(int(room), upto=seq)).errors


def test_the_command_says_how_it_is_asked():
    shown = CliRunner().invoke(main, ["room", "check", "--help"])
    assert shown.exit_code == 0 and "Example: grapevine room check 7 --upto 120" in shown.output
    assert CliRunner().invoke(main, ["room", "check", "none"]).exit_code == 2
