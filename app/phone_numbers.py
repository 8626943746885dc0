"""A phone number as one knows it again: its digits with the country's code in front (E.164), however it is spelt."""

import unicodedata

from app.auth import sign

# Calling codes of where people buy most. A number without one, from elsewhere, is not looked at.
_CALLING = dict(
    one.split(":")
    for one in """US:1 CA:1 GB:44 IE:353 DE:49 AT:43 CH:41 FR:33 BE:32 NL:31 LU:352 ES:34 PT:351 IT:39 DK:45 SE:46 NO:47
    FI:358 IS:354 PL:48 CZ:420 SK:421 HU:36 RO:40 BG:359 GR:30 HR:385 SI:386 EE:372 LV:371 LT:370 TR:90 UA:380 CN:86
    HK:852 MO:853 TW:886 JP:81 KR:82 SG:65 MY:60 TH:66 VN:84 PH:63 ID:62 IN:91 PK:92 BD:880 AU:61 NZ:64 ZA:27 NG:234
    KE:254 EG:20 MA:212 BR:55 MX:52 AR:54 CL:56 CO:57 PE:51 AE:971 SA:966 KW:965 QA:974 IL:972""".split()
)


def digits_of(phone: str | None, country: str | None = None) -> str:
    """Its digits, the country's code first; nothing where that is not known, rather than a guess."""
    text = unicodedata.normalize("NFKC", phone or "").replace("(0)", "")
    # An extension, or a name to dial: left out they would make it somebody else's number.
    if any(sign.isalpha() for sign in text):
        return ""
    digits = "".join(sign for sign in text if sign.isdecimal() and sign.isascii())
    if digits.startswith("00"):
        digits = digits[2:]
    elif not text.strip().startswith("+"):
        digits = _with_country(digits, (country or "").strip().upper())
    # "+49 (0)171 …" without its brackets: gateways reach the same phone by it, so it must not be another number.
    code = next((code for code in _CALLING.values() if code != "39" and digits.startswith(f"{code}0")), "")
    digits = code + digits[len(code) :].lstrip("0") if code else digits
    if digits.startswith("1") and len(digits) != 11:
        return ""
    return digits if 8 <= len(digits) <= 15 and digits[0] != "0" else ""


def fingerprint(digits: str) -> str:
    """A keyed hash, which finds the same phone again and tells nothing else."""
    return sign("phone", _one_way(digits)) if digits else ""


def _one_way(digits: str) -> str:
    """Two countries have phones that are reached with and without one more digit behind the country's code."""
    if digits.startswith(("521", "549")) and len(digits) == 13:
        return digits[:2] + digits[3:]
    return digits


def masked(digits: str) -> str:
    """As much as its owner knows it by."""
    return f"+{digits[:2]}…{digits[-3:]}"


def _with_country(digits: str, country: str) -> str:
    code = _CALLING.get(country, "")
    if not code or not digits:
        return ""
    if code == "1":
        return digits if len(digits) == 11 and digits.startswith("1") else f"1{digits}" if len(digits) == 10 else ""
    # Italian numbers keep their zero.
    return code + (digits if country == "IT" else digits.lstrip("0"))
