"""What a request says of a visit: which agent, from where, with whose consent, by which advertisement."""

import re
from functools import lru_cache
from typing import Any

import msgspec

from app.settings import settings

# Names only: the value behind a gclid names a person's click at the advertiser, and we have no use for it.
PAID = (
    "gclid gbraid wbraid dclid gad_source msclkid ttclid fbclid twclid li_fat_id ScCid epik rdt_cid "
    "yclid bd_vid qz_gdt gdt_vid clickid_bd xhsclid wbclid vmcid irclickid"
).split()
_PAID = {name.lower(): name.lower() for name in PAID}
_HOST = re.compile(rb"https?://(?:[^/@?#]*@)?([a-z0-9.-]{1,253})(?::\d+)?(?:[/?#]|$)", re.I)
DENIED, GRANTED = "denied", "granted"
CONSENT = "gv_consent"
_SITES = frozenset((b"none", b"same-origin", b"same-site", b"cross-site"))
_WANTED = frozenset(
    b"user-agent referer sec-purpose purpose x-moz x-purpose sec-fetch-dest sec-fetch-site sec-fetch-user "
    b"accept accept-language sec-gpc dnt cookie".split()
)


class Heard(msgspec.Struct):
    """The headers of a request that a click is made of, by their names in lower case."""

    headers: dict[bytes, bytes]
    query: bytes
    country: str = ""


def hear(scope: Any) -> Heard:
    headers = {name: value for name, value in scope["headers"] if name in _WANTED}
    trusted = _country_header()
    country = ""
    if trusted:
        country = next((value for name, value in scope["headers"] if name == trusted), b"")[:2].decode("latin-1")
    return Heard(headers, scope.get("query_string", b""), country.upper() if country.isalpha() else "")


def consent_of(headers: dict[bytes, bytes], query: bytes) -> str:
    """What the visitor said about being recognised. Their own choice here speaks louder than the browser's signal."""
    for said in (query, headers.get(b"cookie", b"")):
        if CONSENT.encode() in said:
            if b"gv_consent=denied" in said:
                return DENIED
            if b"gv_consent=granted" in said:
                return GRANTED
    return DENIED if headers.get(b"sec-gpc") == b"1" or headers.get(b"dnt") == b"1" else ""


def paid_param(query: bytes) -> str:
    """The advertiser's parameter in the address that was opened, by its name."""
    return _paid_param(query[:2000]) if query else ""


@lru_cache(maxsize=512)
def _paid_param(query: bytes) -> str:
    for part in query.split(b"&"):
        name, equals, value = part.partition(b"=")
        if equals and value and (known := _PAID.get(name.decode("latin-1").lower())):
            return known
    return ""


def word(value: bytes, among: frozenset[bytes] = _SITES) -> str:
    return value.decode("latin-1") if value in among else ""


@lru_cache(maxsize=4096)
def host_of(referrer: bytes) -> str:
    found = _HOST.match(referrer[:500])
    return found[1].decode().lower() if found else ""


@lru_cache(maxsize=1)
def _country_header() -> bytes:
    return settings().country_header.lower().encode()
