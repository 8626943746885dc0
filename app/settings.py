"""Settings come from the environment (`GRAPEVINE_X`, or a file named by `GRAPEVINE_X_FILE`) and are checked at once.

A value that cannot be right refuses to start, in one sentence that names the setting.
"""

import os
import re
from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

DEMO_SECRET = "demo-only-secret-that-production-refuses-to-start-with"
NAMES = (
    "DATABASE_URL REDIS_URL MEILI_URL MEILI_KEY SECRET_KEY BASE_URL STORAGE_URL SMTP_URL DATA_DIR ENV METRICS_PORT "
    "STRIPE_KEY COUNTRY_HEADER INBOX_DAYS LINES_PER_MEMBER LINES_PER_ADDRESS DATA_CENTRES "
    "YOUTUBE_KEY MASTODON_HOSTS FIGURES_FROM "
    "SMS_URL SMS_SECRET SMS_FROM SMS_COUNTRIES SMS_A_DAY"
).split()
PLATFORMS = ("youtube", "bilibili", "mastodon", "bluesky")


class BadSetting(Exception):
    """A setting has a value the server cannot run with; the sentence says which and why."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    database_url: str = ""
    redis_url: str = ""
    meili_url: str = ""
    meili_key: str = ""
    secret_key: str = DEMO_SECRET
    base_url: str = "http://localhost:8000"
    storage_url: str = ""
    smtp_url: str = ""
    data_dir: Path = Path("var")
    env: str = "demo"
    metrics_port: int = 0
    """The port of `/metrics` in production; 0 serves it on the main port in the demo and not at all in production."""
    country_header: str = ""
    """The header in which a proxy of ours says the visitor's country, as `CF-IPCountry`. Empty: nobody is believed."""
    inbox_days: int = 30
    """How long a shop's message that could not be applied keeps what it says of the customer."""
    stripe_key: str = ""
    """A secret or restricted key (`sk_…`, `rk_…`) that may make transfers; without it nobody is paid by Stripe."""

    youtube_key: str = ""
    """A key for the YouTube Data API v3, by which figures of videos come by themselves; else they are told."""
    mastodon_hosts: tuple[str, ...] = ("mastodon.social", "mastodon.online", "mstdn.social", "mas.to", "fosstodon.org")
    """The servers whose word on their own posts is taken: each can say of them what it likes."""
    figures_from: tuple[str, ...] = PLATFORMS
    """The platforms that are asked how often a post for a bounty was seen."""
    sms_url: str = ""
    """Where short messages go: an https:// address of your gateway, or `twilio://ACCOUNT_SID`."""
    sms_secret: str = ""
    """What our requests to the gateway are signed with (`whsec_…`), or Twilio's auth token."""
    sms_from: str = ""
    """Twilio's number, sender's name or messaging service (`MG…`) that they come from."""
    sms_countries: str = ""
    """The beginnings of numbers that may be written to, as `+1 -1876 +44`; without any, nobody is."""
    sms_a_day: int = 200
    """How many codes are sent within 24 hours in all, whoever asks."""

    data_centres: Path | None = None
    """A file of address ranges of data centres, one a line; ours to begin with when empty."""

    lines_per_member: int = 0
    """Live lines that one member may hold to a process: 200 in production, 5,000 else, so that a load can be tried."""
    lines_per_address: int = 2000
    """The same for one public address, behind which there may be a school; a proxy's own address counts for nobody."""

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).netloc


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from an environment; raises BadSetting with one sentence."""
    given = {name.lower(): value for name in NAMES if (value := _value(environ, f"GRAPEVINE_{name}"))}
    given["base_url"] = given.get("base_url", "http://localhost:8000").rstrip("/")
    if "data_dir" in given:
        given["data_dir"] = Path(given["data_dir"])  # type: ignore[assignment]
    if "metrics_port" in given:
        if not given["metrics_port"].isdigit():
            raise BadSetting("GRAPEVINE_METRICS_PORT is a port number, for example 9100.")
        given["metrics_port"] = int(given["metrics_port"])  # type: ignore[assignment]
    if "inbox_days" in given:
        if not given["inbox_days"].isdigit() or not 1 <= int(given["inbox_days"]) <= 3650:
            raise BadSetting("GRAPEVINE_INBOX_DAYS is a number of days from 1 to 3650, for example 30.")
        given["inbox_days"] = int(given["inbox_days"])  # type: ignore[assignment]
    for name in ("lines_per_member", "lines_per_address", "sms_a_day"):
        if name in given:
            if not given[name].isdigit() or not 1 <= int(given[name]) <= 1_000_000:
                raise BadSetting(f"GRAPEVINE_{name.upper()} is a number from 1 to 1000000, for example 200.")
            given[name] = int(given[name])  # type: ignore[assignment]
    for name in ("mastodon_hosts", "figures_from"):
        if name in given:
            given[name] = _names(given[name])  # type: ignore[assignment]
    if "data_centres" in given:
        given["data_centres"] = _ranges(Path(given["data_centres"]))  # type: ignore[assignment]
    settings = Settings(**given)  # type: ignore[arg-type]
    _check(settings)
    return settings


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load(os.environ)


def _value(environ: Mapping[str, str], name: str) -> str:
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise BadSetting(f"{name}_FILE names {path}, which cannot be read ({error.strerror}).") from error
    return environ.get(name, "").strip()


def _names(text: str) -> tuple[str, ...]:
    """Names with commas or spaces between them; a dash is none."""
    return tuple(name.lower() for name in text.replace(",", " ").split() if name != "-")


def _ranges(path: Path) -> Path:
    """A file of address ranges that can be read, so that no redirect finds out."""
    try:
        for text in path.read_text("utf-8").splitlines():
            if line := text.partition("#")[0].strip():
                ip_network(line, strict=False)
    except (OSError, ValueError) as error:
        raise BadSetting(f"GRAPEVINE_DATA_CENTRES names {path}: {error}.") from error
    return path


def _check(settings: Settings) -> None:
    if settings.env not in ("demo", "production"):
        raise BadSetting(f"GRAPEVINE_ENV is “demo” or “production”, not “{settings.env}”.")
    for name, value, schemes in (
        ("DATABASE_URL", settings.database_url, ("postgres", "postgresql")),
        ("REDIS_URL", settings.redis_url, ("redis", "rediss", "unix")),
        ("MEILI_URL", settings.meili_url, ("http", "https")),
        ("BASE_URL", settings.base_url, ("http", "https")),
        ("STORAGE_URL", settings.storage_url, ("file", "s3", "gs", "az")),
        ("SMTP_URL", settings.smtp_url, ("smtp", "smtps")),
        ("SMS_URL", settings.sms_url, ("https", "http", "twilio")),
    ):
        if value and urlsplit(value).scheme not in schemes:
            raise BadSetting(f"GRAPEVINE_{name} must start with {' or '.join(s + '://' for s in schemes)}.")
    if settings.stripe_key and not settings.stripe_key.startswith(("sk_", "rk_")):
        raise BadSetting("GRAPEVINE_STRIPE_KEY is a secret (sk_…) or restricted (rk_…) key of your Stripe account.")
    for host in settings.mastodon_hosts:
        if "." not in host or not host.replace(".", "").replace("-", "").isalnum() or not host.isascii():
            raise BadSetting(f"GRAPEVINE_MASTODON_HOSTS lists hosts like mastodon.social; “{host}” is none.")
    for name in settings.figures_from:
        if name not in PLATFORMS:
            raise BadSetting(f"GRAPEVINE_FIGURES_FROM lists some of {', '.join(PLATFORMS)}, or is “-”; not “{name}”.")
    _check_messages(settings)
    if settings.is_production:
        if settings.secret_key == DEMO_SECRET:
            raise BadSetting(
                "GRAPEVINE_SECRET_KEY is missing. Set it to a long random value, for example: openssl rand -hex 32"
            )
        if len(settings.secret_key) < 32:
            raise BadSetting("GRAPEVINE_SECRET_KEY is too short: at least 32 characters.")
        if not settings.is_https:
            raise BadSetting("GRAPEVINE_BASE_URL must be the public https:// address in production.")


def _check_messages(settings: Settings) -> None:
    """What a gateway needs is there, so that nobody finds out by waiting for a code."""
    if not all(re.fullmatch(r"[+-][1-9][0-9]{0,7}", one) for one in settings.sms_countries.split()):
        raise BadSetting(
            "GRAPEVINE_SMS_COUNTRIES names beginnings of numbers, for example +1 -1876 +44: to all of +1 but +1876."
        )
    if settings.sms_url.startswith("twilio://"):
        if not re.fullmatch(r"(SK[0-9a-f]{32}@)?AC[0-9a-f]{32}", urlsplit(settings.sms_url).netloc):
            raise BadSetting("GRAPEVINE_SMS_URL is twilio://AC…, or twilio://SK…@AC… with an API key of the account.")
        if not settings.sms_secret:
            raise BadSetting("GRAPEVINE_SMS_SECRET is missing: the auth token of Twilio, or the API key's secret.")
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}|MG[0-9a-f]{32}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}", settings.sms_from):
            raise BadSetting("GRAPEVINE_SMS_FROM is a number of yours (+1…), a messaging service (MG…) or a name.")
    elif settings.sms_url:
        try:
            is_secret = len(b64decode(settings.sms_secret.removeprefix("whsec_"), validate=True)) >= 24
        except ValueError:
            is_secret = False
        if not is_secret or not settings.sms_secret.startswith("whsec_"):
            raise BadSetting("GRAPEVINE_SMS_SECRET is whsec_ and base64 of 32 bytes, which your gateway knows too.")
