"""Bots: programs that speak in a group's room under a name of their own, and read nothing."""

import hashlib
import uuid
from datetime import timedelta

import asyncpg

from app import clock, db, ids, signed
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Gone, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from community.bots import policy
from community.bots.tables import Bot
from community.chat import service as chat
from community.chat.policy import access_room
from community.chat.verdicts import Said
from community.groups.events import GroupJoined, GroupLeft
from community.groups.tables import Membership
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


async def make(viewer: Viewer, slug: str, name: str) -> tuple[int, str]:
    """A bot for the group's room: its id, and its secret, which nobody sees again. The room sees it come in."""
    group = await policy.access_run_group(viewer, slug)
    name = clean(name, "name", least=2, most=60)
    secret, now = signed.new_secret(), clock.now()
    async with db.transaction():
        room_id = await db.fetch_val(
            "SELECT id FROM room WHERE group_id = $1 AND kind = 'group' FOR NO KEY UPDATE", group["id"]
        )
        if room_id is None:
            raise NotFound()
        if await _count(room_id) >= MOST_BOTS:
            raise Conflict(_("A room has at most %(n)s bots. Revoke one first.", n=MOST_BOTS))
        handle = f"bot-{ids.new_code(12)}"
        # A member nobody can sign in as: no password, no token, and an address that no letter reaches.
        member = Member(
            handle=handle, email=f"{handle}@bots.invalid", name=name, role="member", kind="bot", created_at=now
        )
        await member.save()
        # What it may do is what its place in the group lets it do: a ban, a freeze, slow mode hold for it as well.
        await Membership(group_id=group["id"], member_id=member.id, role="member", state="active", joined_at=now).save()
        bot = Bot(
            key=ids.new_code(20),
            member_id=member.id,
            room_id=room_id,
            made_by_id=require_member(viewer),
            secret=signed.seal(secret),
            created_at=now,
        )
        await bot.save()
        await publish(GroupJoined(group_id=group["id"], member_id=member.id), actor_id=viewer.member_id)
    return bot.id, secret


async def change_secret(viewer: Viewer, slug: str, bot_id: int, *, keep_old: bool) -> str:
    """A new secret; the old one is taken for another day, unless it leaked."""
    bot = await policy.access_bot(viewer, slug, bot_id)
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


async def rename(viewer: Viewer, slug: str, bot_id: int, name: str) -> None:
    """It is called so from now on, also beside what it said."""
    bot = await policy.access_bot(viewer, slug, bot_id)
    name = clean(name, "name", least=2, most=60)
    await change_profile(bot["member_id"], Profile(name))


async def change_picture(viewer: Viewer, slug: str, bot_id: int, raw: bytes) -> None:
    bot = await policy.access_bot(viewer, slug, bot_id)
    await change_avatar(bot["member_id"], await develop_avatar(raw))


async def revoke(viewer: Viewer, slug: str, bot_id: int) -> None:
    """It speaks no more; what it said stays. The room sees it leave."""
    bot = await policy.access_bot(viewer, slug, bot_id)
    async with db.transaction():
        won = await db.execute(
            "UPDATE bot SET revoked_at = $2, revoked_by_id = $3 WHERE id = $1 AND revoked_at IS NULL",
            bot["id"],
            clock.now(),
            viewer.member_id,
        )
        if not won:
            raise NotFound()
        await db.execute(
            "DELETE FROM membership WHERE group_id = $1 AND member_id = $2", bot["group_id"], bot["member_id"]
        )
        await publish(GroupLeft(group_id=bot["group_id"], member_id=bot["member_id"]), actor_id=viewer.member_id)


async def forget_secrets_of(group_id: int, maker_id: int) -> None:
    """Whoever made these bots runs the group no longer, and knows their secrets: these hold no longer. The group's
    owner is told of each bot that is silent now."""
    async with db.transaction():
        voided = await db.fetch(
            """UPDATE bot b SET secret = $3, old_secret = '', old_secret_until = NULL
                 FROM room r, groups g, member m
                WHERE r.id = b.room_id AND r.group_id = $1 AND b.made_by_id = $2 AND b.revoked_at IS NULL
                  AND g.id = r.group_id AND m.id = b.member_id
            RETURNING b.id, m.name, g.slug, g.name AS group_name, g.owner_id""",
            group_id,
            maker_id,
            signed.seal(signed.new_secret()),
        )
        for bot in voided:
            await notify_anew(
                bot["owner_id"],
                "bot_voided",
                source=f"bot:{bot['id']}:voided",
                url=f"/g/{bot['slug']}/bots",
                data={"bot": bot["name"], "group": bot["group_name"]},
            )


def valid_secrets(bot: asyncpg.Record) -> list[str]:
    until = bot["old_secret_until"]
    return signed.unsealed(bot["secret"], bot["old_secret"] if until and until > clock.now() else "")


async def say(bot: asyncpg.Record, message_id: str, text: str, reply_to: int | None = None) -> Said:
    """What a signed message says, once for each id: the same one with other words is refused."""
    viewer = _viewer_of(bot)
    if await db.fetch_val("SELECT 1 FROM bot_deed WHERE bot_id = $1 AND said_id = $2", bot["id"], message_id):
        raise signed.SameIdOtherBody()
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


def _client_id(bot: asyncpg.Record, message_id: str) -> uuid.UUID:
    return uuid.uuid5(_MESSAGE_IDS, f"{bot['id']}:{message_id}")


async def _count(room_id: int) -> int:
    return await db.fetch_val("SELECT count(*) FROM bot WHERE room_id = $1 AND revoked_at IS NULL", room_id)
