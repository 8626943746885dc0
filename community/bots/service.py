"""Bots: programs that speak in one room under a name of their own, and read nothing."""

import hashlib
import uuid
from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db, ids, signed
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from community.bots import policy
from community.bots.policy import Home
from community.bots.tables import Bot
from community.chat import keepers
from community.chat import service as chat
from community.chat.policy import access_room
from community.chat.verdicts import Said
from community.groups.events import GroupJoined, GroupLeft
from community.groups.tables import Membership, RoomMember
from community.media.service import develop_avatar
from community.members.schemas import Profile
from community.members.service import change_avatar, change_profile
from community.members.tables import Member
from community.notifications.service import notify_anew

OVERLAP = timedelta(days=1)
DEEDS_KEPT = timedelta(days=30)
MOST_BOTS = 20
# One message, whatever its bot: the webhook-id becomes the client id that chat keeps for ever.
_MESSAGE_IDS = uuid.UUID("6f6b1c0a-8f0e-4c53-9a55-5d1f6c0a7f11")


async def make(viewer: Viewer, home: Home, name: str) -> tuple[int, str]:
    """A bot for this room: its id, and its secret, which nobody sees again. A group's room sees it come in."""
    name = clean(name, "name", least=2, most=60)
    secret, now = signed.new_secret(), clock.now()
    async with db.transaction():
        # Two that are made at once count one after the other.
        await db.fetch_val("SELECT id FROM room WHERE id = $1 FOR NO KEY UPDATE", home.room_id)
        if await _count(home.room_id) >= MOST_BOTS:
            raise Conflict(_("A room has at most %(n)s bots. Revoke one first.", n=MOST_BOTS))
        handle = f"bot-{ids.new_code(12)}"
        # A member nobody can sign in as: no password, no token, and an address that no letter reaches.
        member = Member(
            handle=handle, email=f"{handle}@bots.invalid", name=name, role="member", kind="bot", created_at=now
        )
        await member.save()
        await _give_place(viewer, home, member.id)
        bot = Bot(
            key=ids.new_code(20),
            member_id=member.id,
            room_id=home.room_id,
            made_by_id=require_member(viewer),
            secret=signed.seal(secret),
            created_at=now,
        )
        await bot.save()
    return bot.id, secret


async def _give_place(viewer: Viewer, home: Home, member_id: int) -> None:
    """What a bot may do is what its place lets it do: a ban, a freeze, slow mode hold for it as well."""
    if home.group_id is None:
        await RoomMember(
            room_id=home.room_id, member_id=member_id, role="member", state="active", joined_at=clock.now()
        ).save()
    else:
        await Membership(
            group_id=home.group_id, member_id=member_id, role="member", state="active", joined_at=clock.now()
        ).save()
        await publish(GroupJoined(group_id=home.group_id, member_id=member_id), actor_id=viewer.member_id)


async def change_secret(home: Home, bot_id: int, *, keep_old: bool) -> str:
    """A new secret; the old one is taken for another day, unless it leaked."""
    bot = await policy.access_bot(home, bot_id)
    secret = signed.new_secret()
    await db.execute(
        """UPDATE bot SET old_secret = CASE WHEN $3 THEN secret ELSE '' END, old_secret_until = $4, secret = $2
            WHERE id = $1""",
        bot["id"],
        signed.seal(secret),
        keep_old,
        clock.now() + OVERLAP if keep_old else None,
    )
    return secret


async def rename(home: Home, bot_id: int, name: str) -> None:
    """It is called so from now on, also beside what it said."""
    bot = await policy.access_bot(home, bot_id)
    name = clean(name, "name", least=2, most=60)
    await change_profile(bot["member_id"], Profile(name))


async def change_picture(home: Home, bot_id: int, raw: bytes) -> None:
    bot = await policy.access_bot(home, bot_id)
    await change_avatar(bot["member_id"], await develop_avatar(raw))


async def revoke(viewer: Viewer, home: Home, bot_id: int) -> None:
    """It speaks no more; what it said stays. A group's room sees it leave."""
    bot = await policy.access_bot(home, bot_id)
    async with db.transaction():
        won = await db.execute(
            "UPDATE bot SET revoked_at = $2, revoked_by_id = $3 WHERE id = $1 AND revoked_at IS NULL",
            bot["id"],
            clock.now(),
            viewer.member_id,
        )
        if not won:
            raise NotFound()
        if home.group_id is None:
            await db.execute(
                "UPDATE room_member SET state = 'left' WHERE room_id = $1 AND member_id = $2",
                home.room_id,
                bot["member_id"],
            )
        else:
            await db.execute(
                "DELETE FROM membership WHERE group_id = $1 AND member_id = $2", home.group_id, bot["member_id"]
            )
            await publish(GroupLeft(group_id=home.group_id, member_id=bot["member_id"]), actor_id=viewer.member_id)


async def rooms_no_longer_run(group_id: int, member_id: int) -> list[int]:
    """Of a group they have no say in any more: its own room, and those of its events that they do not host; where
    there is a bot or an address of theirs."""
    rows = await db.fetch(
        """SELECT r.id FROM room r
            WHERE r.group_id = $1
              AND (EXISTS (SELECT 1 FROM bot b
                            WHERE b.room_id = r.id AND b.made_by_id = $2 AND b.revoked_at IS NULL)
                   OR EXISTS (SELECT 1 FROM webhook_endpoint e
                               WHERE e.owner_kind = 'room' AND e.owner_id = r.id
                                 AND e.made_by_id = $2 AND e.off_at IS NULL))
              AND NOT EXISTS (
                  SELECT 1 FROM room_member rm
                   WHERE rm.room_id = r.id AND rm.member_id = $2 AND rm.role = 'host' AND rm.state = 'active')""",
        group_id,
        member_id,
    )
    return [row["id"] for row in rows]


async def rooms_with_bots_of(maker_id: int) -> list[int]:
    rows = await db.fetch("SELECT DISTINCT room_id FROM bot WHERE made_by_id = $1 AND revoked_at IS NULL", maker_id)
    return [row["room_id"] for row in rows]


async def forget_secrets_of(room_id: int, maker_id: int) -> None:
    """Whoever made these bots runs the room no longer, and knows their secrets: these hold no longer. The room's
    owner is told of each bot that is silent now."""
    async with db.transaction():
        voided = await db.fetch(
            """UPDATE bot b SET secret = $3, old_secret = '', old_secret_until = NULL
                 FROM member m
                WHERE b.room_id = $1 AND b.made_by_id = $2 AND b.revoked_at IS NULL AND m.id = b.member_id
            RETURNING b.id, m.name""",
            room_id,
            maker_id,
            signed.seal(signed.new_secret()),
        )
        told = await _owner_of(room_id) if voided else None
        if told is None or told.member_id in (None, maker_id):
            return
        for bot in voided:
            await notify_anew(
                told.member_id,
                "bot_voided",
                source=f"bot:{bot['id']}:voided",
                url=told.url,
                data={"bot": bot["name"], "group": told.name},
            )


class Owner(msgspec.Struct):
    """Whose bell rings about a room's bots, where it leads, and what the room is called."""

    member_id: int | None
    url: str
    name: str


async def _owner_of(room_id: int) -> Owner | None:
    room = await db.fetch_one(
        """SELECT r.kind, r.name, g.slug, g.name AS group_name, g.owner_id
             FROM room r LEFT JOIN groups g ON g.id = r.group_id WHERE r.id = $1""",
        room_id,
    )
    if room is None:
        return None
    if room["kind"] == "group":
        return Owner(room["owner_id"], f"/g/{room['slug']}/bots", room["group_name"])
    return Owner(await keepers.owner_of(room_id), f"/chat/{room_id}/bots", room["name"])


def valid_secrets(bot: asyncpg.Record) -> list[str]:
    until = bot["old_secret_until"]
    return signed.unsealed(bot["secret"], bot["old_secret"] if until and until > clock.now() else "")


async def say(bot: asyncpg.Record, message_id: str, text: str, reply_to: int | None = None) -> Said:
    """What a signed message says, once for each id: the same one with other words is refused."""
    viewer = _viewer_of(bot)
    if await db.fetch_val("SELECT 1 FROM bot_deed WHERE bot_id = $1 AND said_id = $2", bot["id"], message_id):
        raise signed.SameIdOtherBody()
    await _let_in(bot)
    try:
        said = await chat.send(viewer, bot["room_id"], _client_id(bot, message_id), text, reply_to)
    except Conflict as other_words:
        raise signed.SameIdOtherBody() from other_words
    except NotFound as shut_out:
        raise Forbidden(_("This bot was shown out of its room.")) from shut_out
    if said.is_new:
        await db.execute("UPDATE bot SET said_at = $2 WHERE id = $1", bot["id"], clock.now())
    return said


async def change(bot: asyncpg.Record, message_id: str, of: int, text: str | None) -> Said:
    """Say something else in a message of its own, or, without text, take it back; once for each id. What was signed
    some minutes ago and is sent again, by whomever, does not bring the old words back."""
    viewer = _viewer_of(bot)
    await _let_in(bot)
    try:
        await access_room(viewer, bot["room_id"])
    except NotFound as shut_out:
        raise Forbidden(_("This bot was shown out of its room.")) from shut_out
    if await chat.said_before(viewer, bot["room_id"], _client_id(bot, message_id)):
        raise signed.SameIdOtherBody()
    fingerprint = hashlib.sha256(f"{of}:{'' if text is None else '=' + text}".encode()).digest()
    async with db.transaction():
        # A twin that is still at it holds this id: the insert waits for its commit, then loses.
        won = await db.fetch_val(
            """INSERT INTO bot_deed (bot_id, said_id, fingerprint, message_id, seq, at) VALUES ($1, $2, $3, $4, 0, $5)
               ON CONFLICT DO NOTHING RETURNING id""",
            bot["id"],
            message_id,
            fingerprint,
            of,
            clock.now(),
        )
        if won is None:
            done = await db.fetch_one(
                "SELECT * FROM bot_deed WHERE bot_id = $1 AND said_id = $2", bot["id"], message_id
            )
            assert done is not None
            if bytes(done["fingerprint"]) != fingerprint:
                raise signed.SameIdOtherBody()
            return Said(of, done["seq"], is_new=False)
        seq = await (
            chat.delete(viewer, bot["room_id"], of) if text is None else chat.edit(viewer, bot["room_id"], of, text)
        )
        await db.execute("UPDATE bot_deed SET seq = $2 WHERE id = $1", won, seq)
    return Said(of, seq, is_new=True)


async def forget_deeds() -> int:
    """A signature is believed for minutes only, so what was done by it need not be remembered for ever."""
    return await db.execute("DELETE FROM bot_deed WHERE at < $1", clock.now() - DEEDS_KEPT)


def _viewer_of(bot: asyncpg.Record) -> Viewer:
    if bot["revoked_at"] is not None:
        raise Gone(_("This bot was revoked."))
    return Viewer(member_id=bot["member_id"], handle=bot["handle"], name=bot["name"], scopes=frozenset({"write"}))


async def _let_in(bot: asyncpg.Record) -> None:
    """An open room hears people without a place there; a bot needs one, so that one that was shown out does not come
    back by itself. Where moderators shut the room, its hosts' programs are silent with everybody else."""
    room = await db.fetch_one(
        """SELECT r.is_shut, r.kind = 'group' OR EXISTS (
                      SELECT 1 FROM room_member rm
                       WHERE rm.room_id = r.id AND rm.member_id = $2 AND rm.state = 'active') AS has_place
             FROM room r WHERE r.id = $1""",
        bot["room_id"],
        bot["member_id"],
    )
    if room is None or not room["has_place"]:
        raise Forbidden(_("This bot was shown out of its room."))
    if room["is_shut"]:
        raise Forbidden(_("Moderators have shut this room."))


def _client_id(bot: asyncpg.Record, message_id: str) -> uuid.UUID:
    return uuid.uuid5(_MESSAGE_IDS, f"{bot['id']}:{message_id}")


async def _count(room_id: int) -> int:
    return await db.fetch_val("SELECT count(*) FROM bot WHERE room_id = $1 AND revoked_at IS NULL", room_id)
