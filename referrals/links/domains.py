"""A store's own short domains: added, proven by DNS, one in use, another taken at once when an app blocks it.

Which hosts are ours is asked on every request, so each process remembers it and looks again after a few seconds.
"""

import asyncio
import contextvars
import logging
import re
import time
from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db, disclosure, ids
from app.auth import Viewer
from app.errors import Conflict, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.settings import settings
from referrals.links import dns
from referrals.links.events import ShortDomainAdded, ShortDomainBlocked, ShortDomainRemoved, ShortDomainUsed
from storefront.stores.policy import access_own_store

log = logging.getLogger(__name__)

FRESH_SECONDS = 4.0
MOST = 20
# A domain that is not proven again for this long is somebody else's by now, perhaps.
PROOF_LASTS = timedelta(days=7)
GIVE_UP = timedelta(days=30)
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")


class Hosts(msgspec.Struct):
    """What this process remembers: the store of each host, and the host each store has in use."""

    store_of: dict[str, int] = {}
    in_use: dict[int, str] = {}
    until: float = 0.0
    looking: asyncio.Task[None] | None = None


_hosts = Hosts()


def host_of(store_id: int | None) -> str:
    """The short domain that a store's links have now, or nothing."""
    return _hosts.in_use.get(store_id, "") if store_id is not None else ""


def store_behind(host: str) -> int | None:
    """The store whose short domain this is. Answers from memory, and has that renewed beside the request."""
    if _hosts.until < time.monotonic() and _hosts.looking is None:
        # In a context of its own: the request's transaction and language are not this task's.
        _hosts.looking = asyncio.get_running_loop().create_task(_look(), context=contextvars.Context())
    return _hosts.store_of.get(host) if _hosts.store_of else None


async def refresh() -> None:
    rows = await db.fetch(
        "SELECT host, store_id, in_use_at FROM short_domain WHERE proven_at > $1", clock.now() - PROOF_LASTS
    )
    _hosts.store_of = {row["host"]: row["store_id"] for row in rows}
    _hosts.in_use = {row["store_id"]: row["host"] for row in rows if row["in_use_at"] is not None}
    _hosts.until = time.monotonic() + FRESH_SECONDS
    # A short address in a member's text is labelled like any other that earns; a shop's with `?ref=` too.
    disclosure.short_links_live_at(frozenset(_hosts.store_of))
    shops = await db.fetch(
        """SELECT split_part(s.origin, '://', 2) AS host FROM store s JOIN program p ON p.store_id = s.id
           UNION SELECT h.host FROM store_host h JOIN program p ON p.store_id = h.store_id"""
    )
    disclosure.shops_live_at(frozenset(row["host"].partition(":")[0].lower() for row in shops))


async def _look() -> None:
    try:
        await refresh()
    except Exception as error:
        # What was known stays: a redirect must outlive the database.
        log.warning("the short domains could not be read: %s", error)
        _hosts.until = time.monotonic() + FRESH_SECONDS
    finally:
        _hosts.looking = None


def checked_host(host: str) -> str:
    """The host name in plain ASCII, or Invalid for an address, a port, or our own name."""
    host = host.strip().lower().removeprefix("https://").removeprefix("http://").rstrip("/").rstrip(".")
    try:
        host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise Invalid("host", _("A host looks like go.shop.example, without a path or port."))
    ours = settings().host.partition(":")[0]
    if host == ours or host.endswith("." + ours):
        raise Invalid("host", _("That is this community's own address."))
    return host


def txt_name(host: str) -> str:
    return f"_grapevine.{host}"


async def add(viewer: Viewer, store_slug: str, host: str) -> asyncpg.Record:
    """Note a domain that its owner is about to prove; adding it again changes nothing."""
    store, host = await access_own_store(viewer, store_slug), checked_host(host)
    await limit("short-domain", store["id"], most=30, per=3600)
    async with db.transaction():
        many = await db.fetch_val("SELECT count(*) FROM short_domain WHERE store_id = $1", store["id"])
        if many >= MOST:
            raise Conflict(_("A store has at most %(most)s domains. Remove one first.", most=MOST))
        # One that somebody noted and never proved is nobody's: it must not keep the true owner out.
        await db.execute(
            "DELETE FROM short_domain WHERE host = $1 AND store_id <> $2 AND proven_at IS NULL", host, store["id"]
        )
        added = await db.fetch_one(
            """INSERT INTO short_domain (store_id, host, proof, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING RETURNING *""",
            store["id"],
            host,
            "grapevine=" + ids.new_code(32),
            clock.now(),
        )
        if added is not None:
            await publish(ShortDomainAdded(domain_id=added["id"]), actor_id=viewer.member_id)
    return added or await _own(store["id"], host)


async def ask_again(viewer: Viewer, store_slug: str, host: str) -> None:
    """Have DNS looked at once more, by a job."""
    store = await access_own_store(viewer, store_slug)
    await limit("short-domain", store["id"], most=30, per=3600)
    domain = await _own(store["id"], host)
    async with db.transaction():
        await publish(ShortDomainAdded(domain_id=domain["id"]), actor_id=viewer.member_id)


async def prove(domain_id: int, lookup: dns.TextLookup | None = None) -> bool:
    """Look for the proof in DNS. The store's first proven domain is in use at once."""
    domain = await db.fetch_one("SELECT * FROM short_domain WHERE id = $1", domain_id)
    if domain is None:
        return False
    try:
        found = await (lookup or dns.texts_of)(txt_name(domain["host"]))
        answer = "" if domain["proof"] in found else "other: " + ", ".join(found)[:200]
    except dns.NoAnswer as error:
        answer = str(error)
    now = clock.now()
    async with db.transaction():
        await db.execute(
            """UPDATE short_domain SET asked_at = $2, answer = $3,
                                       proven_at = CASE WHEN $3 = '' THEN $2 ELSE proven_at END
                WHERE id = $1""",
            domain_id,
            now,
            answer,
        )
        if not answer:
            await _use_if_none(domain["store_id"], domain_id)
    await refresh()
    return not answer


async def use(viewer: Viewer, store_slug: str, host: str) -> None:
    """Give all links of the store this domain. Addresses at the others still lead where they led."""
    store = await access_own_store(viewer, store_slug)
    domain = await _own(store["id"], host)
    if not is_proven(domain):
        raise Conflict(_("This domain is not proven yet. Set its TXT record first."))
    async with db.transaction():
        await _lock(store["id"])
        await db.execute("UPDATE short_domain SET in_use_at = NULL WHERE store_id = $1", store["id"])
        await db.execute(
            "UPDATE short_domain SET in_use_at = $2, blocked_at = NULL WHERE id = $1", domain["id"], clock.now()
        )
        await publish(ShortDomainUsed(store_id=store["id"], host=domain["host"]), actor_id=viewer.member_id)
    await refresh()


async def swap(viewer: Viewer, store_slug: str, host: str) -> str:
    """An app blocks this domain: note it, and give the links the store's next proven one. The host they have now."""
    store = await access_own_store(viewer, store_slug)
    domain = await _own(store["id"], host)
    async with db.transaction():
        await _lock(store["id"])
        await db.execute(
            "UPDATE short_domain SET blocked_at = coalesce(blocked_at, $2), in_use_at = NULL WHERE id = $1",
            domain["id"],
            clock.now(),
        )
        following = await db.fetch_val(
            """SELECT id FROM short_domain WHERE store_id = $1 AND blocked_at IS NULL AND proven_at > $2
                ORDER BY id LIMIT 1""",
            store["id"],
            clock.now() - PROOF_LASTS,
        )
        if following is not None:
            await _use_if_none(store["id"], following)
        await publish(ShortDomainBlocked(store_id=store["id"], host=domain["host"]), actor_id=viewer.member_id)
    await refresh()
    return host_of(store["id"])


async def remove(viewer: Viewer, store_slug: str, host: str) -> None:
    """Addresses at this domain lead nowhere from now on. Removing it twice changes nothing."""
    store = await access_own_store(viewer, store_slug)
    async with db.transaction():
        removed = await db.execute(
            "DELETE FROM short_domain WHERE store_id = $1 AND host = $2", store["id"], host.lower()
        )
        if removed:
            await publish(ShortDomainRemoved(store_id=store["id"], host=host.lower()), actor_id=viewer.member_id)
    await refresh()


async def domains_of(store_id: int) -> list[asyncpg.Record]:
    return await db.fetch("SELECT * FROM short_domain WHERE store_id = $1 ORDER BY id", store_id)


async def due_for_a_look() -> list[int]:
    """Domains whose proof is awaited, and those whose proof is a day old."""
    rows = await db.fetch(
        """SELECT id FROM short_domain
            WHERE (proven_at IS NULL AND created_at > $1) OR asked_at < $2 ORDER BY asked_at NULLS FIRST LIMIT 100""",
        clock.now() - GIVE_UP,
        clock.now() - timedelta(days=1),
    )
    return [row["id"] for row in rows]


def is_proven(domain: asyncpg.Record) -> bool:
    return domain["proven_at"] is not None and domain["proven_at"] > clock.now() - PROOF_LASTS


async def _own(store_id: int, host: str) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM short_domain WHERE store_id = $1 AND host = $2", store_id, host.lower())
    if row is None:
        raise NotFound(_("This store has no such domain."))
    return row


async def _use_if_none(store_id: int, domain_id: int) -> None:
    await _lock(store_id)
    await db.execute(
        """UPDATE short_domain SET in_use_at = $3 WHERE id = $2 AND blocked_at IS NULL AND NOT EXISTS (
               SELECT 1 FROM short_domain WHERE store_id = $1 AND in_use_at IS NOT NULL)""",
        store_id,
        domain_id,
        clock.now(),
    )


async def _lock(store_id: int) -> None:
    await db.execute("SELECT id FROM store WHERE id = $1 FOR UPDATE", store_id)
