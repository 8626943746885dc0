"""`grapevine doctor`: look at every part the server needs and say what to do about what is wrong."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from app import clock, db, jobs, migrate, sms, valkey
from app.settings import settings
from referrals.kit.posters import LETTERS
from storefront.connectors.silence import silent_stores

OLDEST_POSTGRES = 150_000
MOST_CLOCK_DRIFT_SECONDS = 5
# A night and what a large check may take.
BOOKS_ARE_OLD_AFTER = timedelta(hours=27)


class Finding(msgspec.Struct):
    """One part: `ok`, what was seen, and what to do when it is not."""

    part: str
    ok: bool
    seen: str
    advice: str = ""


async def examine() -> list[Finding]:
    """Every check, each bounded in time; a check that breaks is a finding, not a crash."""
    return [await _bounded(part, check) for part, check in CHECKS.items()]


async def _bounded(part: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await asyncio.wait_for(check(), timeout=10)
    except TimeoutError:
        return Finding(part, False, "no answer within 10 s", "Is it running, and reachable from this machine?")
    except Exception as error:
        return Finding(part, False, f"{type(error).__name__}: {error}", "See the error; the address may be wrong.")


async def _settings() -> Finding:
    current = settings()
    if current.is_production:
        return Finding("settings", True, f"production at {current.base_url}")
    return Finding("settings", True, f"demo at {current.base_url}", "Set GRAPEVINE_ENV=production before real use.")


async def _database() -> Finding:
    number = int(await db.fetch_val("SHOW server_version_num"))
    version = await db.fetch_val("SHOW server_version")
    if number < OLDEST_POSTGRES:
        return Finding("database", False, f"PostgreSQL {version}", "Upgrade to PostgreSQL 15 or newer.")
    return Finding("database", True, f"PostgreSQL {version}")


async def _schema() -> Finding:
    if await migrate.is_at_head():
        return Finding("schema", True, "at head")
    return Finding("schema", False, "migrations are missing", "Run: grapevine migrate")


async def _redis() -> Finding:
    if await valkey.is_up():
        return Finding("redis", True, "answers")
    return Finding("redis", False, "no answer", "Check GRAPEVINE_REDIS_URL. Nothing is lost meanwhile; chat is slower.")


async def _worker() -> Finding:
    lag, held = await jobs.lag_seconds(), len(await jobs.held())
    if lag > 60:
        return Finding("worker", False, f"the oldest due job waits for {lag:.0f} s", "Is `grapevine worker` running?")
    if held:
        return Finding(
            "worker", False, f"{held} jobs are held", "See `grapevine job held`, then `grapevine job retry ID`."
        )
    return Finding("worker", True, "keeps up")


async def _search() -> Finding:
    if not settings().meili_url:
        return Finding("search", True, "PostgreSQL")
    return await _reachable("search", settings().meili_url, "Check GRAPEVINE_MEILI_URL.", port=7700)


async def _mail() -> Finding:
    if not settings().smtp_url:
        return Finding("mail", True, "not set up: nothing is sent", "Set GRAPEVINE_SMTP_URL to send mail.")
    return await _reachable("mail", settings().smtp_url, "Check GRAPEVINE_SMTP_URL.", port=25)


async def _messages() -> Finding:
    """Codes to phones: whether they can be sent, how many were, and what the gateway says of the latest."""
    current, advice = settings(), "Set GRAPEVINE_SMS_URL and GRAPEVINE_SMS_COUNTRIES to let members prove a phone."
    if not current.sms_url:
        asked = await db.fetch_val(
            """SELECT count(*) FROM program p JOIN LATERAL (SELECT terms FROM program_version WHERE program_id = p.id
                      ORDER BY version DESC LIMIT 1) v
                   ON v.terms ->> 'activation_needs' <> 'email' AND (v.terms ->> 'activation')::bigint > 0"""
        )
        seen = f"not set up, but {asked} programmes ask for a proven phone" if asked else "not set up: nothing is sent"
        return Finding("messages", not (asked and current.is_production), seen, advice)
    if not current.sms_countries:
        return Finding("messages", False, "a gateway, but no country", "Set GRAPEVINE_SMS_COUNTRIES, as +1 +44.")
    day = await db.fetch_one(
        """SELECT count(*) FILTER (WHERE state <> 'failed') AS sent, count(*) FILTER (WHERE state = 'failed') AS failed,
                  (SELECT why FROM phone_code WHERE state NOT IN ('asked', 'replaced') AND why <> ALL($2::text[])
                    ORDER BY id DESC LIMIT 1) AS why
             FROM phone_code WHERE asked_at > $1""",
        clock.now() - timedelta(days=1),
        list(sms.ABOUT_THE_NUMBER),
    )
    assert day is not None
    seen = f"{day['sent']} of {current.sms_a_day} codes within a day, {day['failed']} could not be sent"
    if day["sent"] >= current.sms_a_day:
        return Finding("messages", False, seen, "Is somebody pumping? Else raise GRAPEVINE_SMS_A_DAY.")
    if day["why"]:
        return Finding("messages", False, f"{seen}; the latest: {day['why']}", "See what the gateway means by it.")
    return Finding("messages", True, seen)


async def _payouts() -> Finding:
    if not settings().stripe_key:
        return Finding("payouts", True, "by hand and as store credit", "Set GRAPEVINE_STRIPE_KEY to pay by Stripe.")
    if settings().is_production and "_test_" in settings().stripe_key:
        return Finding("payouts", False, "Stripe with a test key", "A test key pays nobody: set GRAPEVINE_STRIPE_KEY.")
    return await _reachable("payouts", "https://api.stripe.com", "May this machine reach api.stripe.com?", port=443)


async def _storage() -> Finding:
    url = settings().storage_url
    if url and not url.startswith("file:"):
        return Finding("storage", True, url)
    folder = settings().data_dir
    probe = folder / ".doctor"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_text("x")
        probe.unlink()
    except OSError as error:
        return Finding("storage", False, f"{folder}: {error.strerror}", "Make the folder writable for this user.")
    return Finding("storage", True, str(folder))


async def _letters() -> Finding:
    """Posters are lettered by the server: without fonts a Chinese title would be left out."""
    if (LETTERS / "unicode.json").is_file():
        return Finding("letters", True, f"{len(list(LETTERS.glob('*.woff2')))} files")
    return Finding("letters", False, f"{LETTERS} is empty", "Build the front end: bin/setup, or node build.mjs.")


async def _clock() -> Finding:
    drift = abs(await db.fetch_val("SELECT extract(epoch FROM now() - $1::timestamptz)::float8", clock.now()))
    if drift > MOST_CLOCK_DRIFT_SECONDS:
        return Finding("clock", False, f"{drift:.0f} s off the database's", "Run NTP on both machines.")
    return Finding("clock", True, "agrees with the database")


async def _shops() -> Finding:
    silent = await silent_stores()
    failed = await db.fetch(
        """SELECT s.slug, p.error FROM store s JOIN LATERAL (
               SELECT error FROM store_pull WHERE store_id = s.id ORDER BY id DESC LIMIT 1) p ON p.error <> ''"""
    )
    doubts = await db.fetch_val("SELECT count(*) FROM orders WHERE doubt <> ''")
    if silent:
        names = ", ".join(store.slug for store in silent)
        return Finding("shops", False, f"no webhook for longer than usual: {names}", "Is it switched off in the shop?")
    if failed:
        seen = "; ".join(f"{row['slug']}: {row['error']}" for row in failed)
        return Finding("shops", False, f"could not be asked: {seen}", "See `grapevine webhooks pull --store …`.")
    if doubts:
        return Finding("shops", True, f"{doubts} orders are in doubt", "See `grapevine webhooks held`.")
    return Finding("shops", True, "heard as usual")


async def _books() -> Finding:
    """Whether the books were right when they were looked at last, and whether somebody looks every night."""
    row = await db.fetch_one(
        """SELECT (SELECT max(at) FROM books_check WHERE asked_by IS NULL) AS nightly,
                  (SELECT max(at) FROM books_check) AS latest,
                  coalesce((SELECT jsonb_array_length(errors) FROM books_check ORDER BY id DESC LIMIT 1), 0) AS errors,
                  (SELECT min(occurred_at) FROM ledger_transaction) AS begun"""
    )
    assert row is not None
    now, advice = clock.now(), "See /admin/books, or run `grapevine ledger verify`."
    if row["errors"]:
        return Finding("books", False, f"{row['errors']} errors {_hours(now - row['latest'])} ago", advice)
    since = row["nightly"] or row["begun"]
    if since is not None and now - since > BOOKS_ARE_OLD_AFTER:
        seen = "the last nightly check" if row["nightly"] else "never checked, the first entry"
        return Finding("books", False, f"{seen} was {_hours(now - since)} ago", "Is `grapevine worker` running?")
    if row["nightly"] is None:
        return Finding("books", True, "not checked yet: every night at 3:41 UTC")
    return Finding("books", True, f"clean {_hours(now - row['nightly'])} ago")


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:.0f} h"


async def _reachable(part: str, url: str, advice: str, *, port: int) -> Finding:
    address = urlsplit(url)
    try:
        _, writer = await asyncio.open_connection(address.hostname, address.port or port)
    except OSError as error:
        return Finding(part, False, f"{address.hostname}: {error.strerror or error}", advice)
    writer.close()
    return Finding(part, True, f"{address.hostname} answers")


CHECKS: dict[str, Callable[[], Awaitable[Finding]]] = {
    "settings": _settings,
    "database": _database,
    "schema": _schema,
    "redis": _redis,
    "worker": _worker,
    "search": _search,
    "mail": _mail,
    "messages": _messages,
    "storage": _storage,
    "payouts": _payouts,
    "letters": _letters,
    "clock": _clock,
    "shops": _shops,
    "books": _books,
}
