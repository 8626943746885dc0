"""What we keep of an e-mail, an address, a card: keyed hashes, which find the same one again and tell nothing else."""

import unicodedata
from collections.abc import Iterable

from app.auth import sign

# Providers whose mailboxes ignore dots in the name.
_DOTS_DO_NOT_COUNT = {"gmail.com", "googlemail.com"}

# Calling codes of where people buy most. A number without one, from elsewhere, is not looked at.
_CALLING = dict(
    one.split(":")
    for one in """US:1 CA:1 GB:44 IE:353 DE:49 AT:43 CH:41 FR:33 BE:32 NL:31 LU:352 ES:34 PT:351 IT:39 DK:45 SE:46 NO:47
    FI:358 IS:354 PL:48 CZ:420 SK:421 HU:36 RO:40 BG:359 GR:30 HR:385 SI:386 EE:372 LV:371 LT:370 TR:90 UA:380 CN:86
    HK:852 MO:853 TW:886 JP:81 KR:82 SG:65 MY:60 TH:66 VN:84 PH:63 ID:62 IN:91 PK:92 BD:880 AU:61 NZ:64 ZA:27 NG:234
    KE:254 EG:20 MA:212 BR:55 MX:52 AR:54 CL:56 CO:57 PE:51 AE:971 SA:966 KW:965 QA:974 IL:972""".split()
)


def email_fingerprint(email: str) -> str:
    """The address as it was told, whatever its case."""
    return sign("email", email.strip().lower()) if email.strip() else ""


def mailbox_fingerprint(email: str) -> str:
    """The mailbox behind the address: `ann.b+shop@googlemail.com` reaches `annb@gmail.com`.

    Good for suspicion (whoever buys by their own link), never as proof that two people are one.
    """
    name, _at, host = email.strip().lower().rpartition("@")
    name = name.partition("+")[0] or name
    if host in _DOTS_DO_NOT_COUNT:
        name, host = name.replace(".", ""), "gmail.com"
    return sign("mailbox", f"{name}@{host}") if name else ""


def phone_fingerprint(phone: str | None, country: str | None = None) -> str:
    """The number however it is spelt, with its country's code; nothing where that is not known, rather than a guess.

    Good for suspicion and for a weak hint, never as proof: whoever types a number at a checkout may type any.
    """
    text = unicodedata.normalize("NFKC", phone or "").replace("(0)", "")
    digits = "".join(sign for sign in text if sign.isdecimal() and sign.isascii())
    if digits.startswith("00"):
        digits = digits[2:]
    elif not text.strip().startswith("+"):
        digits = _with_country(digits, (country or "").strip().upper())
    return sign("phone", digits) if 8 <= len(digits) <= 15 else ""


def _with_country(digits: str, country: str) -> str:
    code = _CALLING.get(country, "")
    if not code or not digits:
        return ""
    if code == "1":
        return digits if len(digits) == 11 and digits.startswith("1") else f"1{digits}" if len(digits) == 10 else ""
    # Italian numbers keep their zero.
    return code + (digits if country == "IT" else digits.lstrip("0"))


def address_fingerprint(parts: Iterable[str | None]) -> str:
    """The place a parcel goes to (street lines, postcode, country), however it is spelt and spaced."""
    text = unicodedata.normalize("NFKC", "".join(part or "" for part in parts)).casefold()
    place = "".join(letter for letter in text if letter.isalnum())
    return sign("address", place) if len(place) > 5 else ""


def instrument_fingerprint(name: str | None) -> str:
    """The card or account that paid, by whatever name the payment provider has for it."""
    return sign("instrument", name.strip()) if name and name.strip() else ""
