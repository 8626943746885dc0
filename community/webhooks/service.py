"""Webhooks out: who is told what, and that it is told at least once, under one id however often."""

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import msgspec

from app import clock, db, ids, signed
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, NotFound
from app.http import is_public
from app.i18n import gettext as _
from app.jobs import Work, enqueue_one
from app.settings import settings
from community.webhooks.queries import MOST_ENDPOINTS, endpoint_of
from community.webhooks.schemas import TEST
from community.webhooks.source import Place, Source
from community.webhooks.tables import Endpoint

OVERLAP = timedelta(days=1)
KEPT = timedelta(days=30)
MOST_REDELIVERED = 10_000


async def add(viewer: Viewer, source: Source, place: Place, url: str, types: Sequence[str]) -> tuple[int, str]:
    """Tell this address from now on; its id and its secret, which nobody sees again."""
    url, types, secret = _checked_url(url), _checked_types(source, types), signed.new_secret()
    async with db.transaction():
        # Two that add at once count one after the other.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"webhooks:{_owner(source, place)}")
        count = await db.fetch_val(
            "SELECT count(*) FROM webhook_endpoint WHERE owner_kind = $1 AND owner_id = $2", *_owner(source, place)
        )
        if count >= MOST_ENDPOINTS:
            raise Conflict(_("At most %(n)s addresses. Remove one first.", n=MOST_ENDPOINTS))
        endpoint = Endpoint(
            owner_kind=source.owner_kind,
            owner_id=place.owner_id,
            url=url,
            secret=signed.seal(secret),
            types=msgspec.json.encode(types).decode(),
            made_by_id=require_member(viewer),
            created_at=clock.now(),
            told_seq=await source.start_at(place.owner_id),
        )
        await endpoint.save()
    return endpoint.id, secret


async def change(source: Source, place: Place, endpoint_id: int, url: str, types: Sequence[str]) -> None:
    endpoint = await endpoint_of(*_owner(source, place), endpoint_id)
    url, types = _checked_url(url), _checked_types(source, types)
    async with db.transaction():
        await db.execute(
            "UPDATE webhook_endpoint SET url = $2, types = $3::jsonb WHERE id = $1",
            endpoint["id"],
            url,
            msgspec.json.encode(types).decode(),
        )
        if url != endpoint["url"]:
            await _try_now(source, endpoint_id)


async def switch(source: Source, place: Place, endpoint_id: int, *, on: bool, catch_up: bool = True) -> None:
    """Off: nothing is sent, what happens is kept for a month. On: what was missed is sent, or it begins anew."""
    endpoint = await endpoint_of(*_owner(source, place), endpoint_id)
    if on == (endpoint["off_at"] is None):
        return
    async with db.transaction():
        await db.execute(
            """UPDATE webhook_endpoint SET off_at = $2, off_reason = $3, resting_until = NULL WHERE id = $1""",
            endpoint_id,
            None if on else clock.now(),
            "" if on else "by_hand",
        )
        if on and not catch_up:
            await db.execute("DELETE FROM webhook_delivery WHERE endpoint_id = $1 AND state = 'waiting'", endpoint_id)
            await db.execute(
                "UPDATE webhook_endpoint SET told_seq = $2 WHERE id = $1",
                endpoint_id,
                await source.start_at(place.owner_id),
            )
        if on:
            await _try_now(source, endpoint_id)


async def remove(source: Source, place: Place, endpoint_id: int) -> None:
    """Told no more, and its log is gone."""
    endpoint = await endpoint_of(*_owner(source, place), endpoint_id)
    await db.execute("DELETE FROM webhook_endpoint WHERE id = $1", endpoint["id"])


async def change_secret(source: Source, place: Place, endpoint_id: int, *, keep_old: bool) -> str:
    """A new secret; the old one signs as well for another day, unless it leaked."""
    endpoint = await endpoint_of(*_owner(source, place), endpoint_id)
    secret = signed.new_secret()
    await db.execute(
        """UPDATE webhook_endpoint
              SET old_secret = CASE WHEN $3 THEN secret ELSE '' END, old_secret_until = $4, secret = $2
            WHERE id = $1""",
        endpoint["id"],
        signed.seal(secret),
        keep_old,
        clock.now() + OVERLAP if keep_old else None,
    )
    return secret


async def test(source: Source, place: Place, endpoint_id: int) -> None:
    """Send it a message that means nothing; and what waits, for whoever asks thinks that it is back."""
    endpoint = await endpoint_of(*_owner(source, place), endpoint_id)
    if endpoint["off_at"]:
        raise Conflict(_("It is off. Switch it on first."))
    async with db.transaction():
        await _insert([endpoint_id], TEST, f"test_{ids.new_code(16)}", {}, clock.now())
        await _try_now(source, endpoint_id)


async def redeliver(
    source: Source,
    place: Place,
    endpoint_id: int,
    *,
    delivery_id: int | None = None,
    since: datetime | None = None,
    delivered_too: bool = False,
) -> int:
    """Send again, under the same ids and in their order: one delivery, or all since then; how many."""
    endpoint = await endpoint_of(*_owner(source, place), endpoint_id)
    if (delivery_id is None) == (since is None):
        raise Invalid("since", _("One delivery, or all since a time."))
    if since is not None and since.tzinfo is None:
        raise Invalid("since", _("A time with its zone, please: 2026-11-22T09:00:00Z"))
    if endpoint["off_at"]:
        raise Conflict(_("It is off. Switch it on first."))
    async with db.transaction():
        queued = await db.execute(
            """UPDATE webhook_delivery SET state = 'waiting', tries = 0, next_at = $2, done_at = NULL
                WHERE id IN (SELECT id FROM webhook_delivery
                              WHERE endpoint_id = $1 AND state <> 'waiting' AND ($3::bigint IS NULL OR id = $3)
                                AND ($4::timestamptz IS NULL OR occurred_at >= $4)
                                AND ($5 OR $3 IS NOT NULL OR state = 'failed')
                              ORDER BY id LIMIT $6)""",
            endpoint_id,
            clock.now(),
            delivery_id,
            since,
            delivered_too,
            MOST_REDELIVERED,
        )
        if delivery_id is not None and not queued:
            raise NotFound()
        await wake(source.send, endpoint_id)
    return queued


async def announce(
    owner_kind: str, owner_id: int, type: str, message_id: str, data: dict[str, Any], at: datetime, *, send: Work
) -> None:
    """Tell every endpoint of this owner that wants to know, once for each `message_id`. In the caller's transaction,
    or one of its own. `data` is ids and amounts: names and words are read when it is sent."""
    async with db.transaction():
        rows = await db.fetch(
            """SELECT id FROM webhook_endpoint
                WHERE owner_kind = $1 AND owner_id = $2 AND created_at <= $4 AND (types = '[]' OR types ? $3)""",
            owner_kind,
            owner_id,
            type,
            at,
        )
        for endpoint_id in await _insert([row["id"] for row in rows], type, message_id, data, at):
            await wake(send, endpoint_id)


async def wake(send: Work, endpoint_id: int, *, at: datetime | None = None) -> None:
    # The queue counts from the database's own now, which no test can move.
    after = max(at - datetime.now(UTC), timedelta(0)) if at else None
    await enqueue_one(send, str(endpoint_id).encode(), after=after)


async def _try_now(source: Source, endpoint_id: int) -> None:
    """Everything that waits is due, with all its tries before it."""
    await db.execute("UPDATE webhook_endpoint SET resting_until = NULL WHERE id = $1", endpoint_id)
    await db.execute(
        "UPDATE webhook_delivery SET next_at = $2, tries = 0 WHERE endpoint_id = $1 AND state = 'waiting'",
        endpoint_id,
        clock.now(),
    )
    await wake(source.send, endpoint_id)


async def wake_forgotten(owner_kind: str, send: Work) -> None:
    """Endpoints where something is due and nobody is at it: a hint or a job may have been lost."""
    async with db.transaction():
        for row in await db.fetch(
            """SELECT e.id FROM webhook_endpoint e
                WHERE e.owner_kind = $1 AND e.off_at IS NULL AND (e.busy_until IS NULL OR e.busy_until < $2)
                  AND (e.resting_until IS NULL OR e.resting_until <= $2)
                  AND EXISTS (SELECT 1 FROM webhook_delivery d
                               WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= $2)""",
            owner_kind,
            clock.now(),
        ):
            await wake(send, row["id"])


async def forget_old() -> int:
    """Deliveries of a month ago, with what was answered; how many."""
    return await db.execute(
        """DELETE FROM webhook_delivery WHERE id IN (
               SELECT id FROM webhook_delivery WHERE state <> 'waiting' AND done_at < $1 LIMIT 5000)""",
        clock.now() - KEPT,
    ) + await db.execute(
        """DELETE FROM webhook_delivery WHERE id IN (
               SELECT d.id FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint_id
                WHERE d.state = 'waiting' AND e.off_at IS NOT NULL AND d.occurred_at < $1 LIMIT 5000)""",
        clock.now() - KEPT,
    )


async def _insert(endpoint_ids: list[int], type: str, message_id: str, data: dict[str, Any], at: datetime) -> list[int]:
    """Put it down for those to whom it is new."""
    rows = await db.fetch(
        """INSERT INTO webhook_delivery (endpoint_id, message_id, type, data, occurred_at, state, tries, next_at)
           SELECT id, $2, $3, $4::jsonb, $5, 'waiting', 0, $6 FROM unnest($1::bigint[]) AS e(id)
           ON CONFLICT DO NOTHING RETURNING endpoint_id""",
        endpoint_ids,
        message_id,
        type,
        msgspec.json.encode(data).decode(),
        at,
        clock.now(),
    )
    return [row["endpoint_id"] for row in rows]


def _owner(source: Source, place: Place) -> tuple[str, int]:
    return source.owner_kind, place.owner_id


def _checked_url(url: str) -> str:
    """An address on the internet. Where its name leads is looked at each time something is sent."""
    url = url.strip()
    try:
        parts, target = urlsplit(url), httpx.URL(url)
        fits = target.scheme in ("http", "https") and bool(target.host) and not target.userinfo and url.isascii()
        port = parts.port
    except (httpx.InvalidURL, ValueError):
        fits, port = False, None
    if not fits or port == 0 or len(url) > 2000:
        raise Invalid("url", _("An address that begins with https://, please."))
    if target.scheme == "http" and settings().is_production:
        raise Invalid("url", _("Only https:// addresses: what is told here is not for others on the way."))
    try:
        is_inside = not is_public(ipaddress.ip_address(target.host))
    except ValueError:
        is_inside = target.host == "localhost" or target.host.endswith((".localhost", ".internal", ".local"))
    if is_inside:
        raise Invalid("url", _("This address is not on the internet."))
    return str(target.copy_with(fragment=None))


def _checked_types(source: Source, types: Sequence[str]) -> list[str]:
    if unknown := [one for one in types if one not in source.types]:
        raise Invalid("types", _("We never tell of “%(type)s”.", type=unknown[0]))
    return sorted(set(types))


def valid_secrets(endpoint: asyncpg.Record) -> list[str]:
    until = endpoint["old_secret_until"]
    return signed.unsealed(endpoint["secret"], endpoint["old_secret"] if until and until > clock.now() else "")
