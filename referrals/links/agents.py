"""What a User-Agent tells of a visitor, as far as a link's routes ask: device, system, browser, the app around it."""

import re
from functools import lru_cache

import msgspec

DEVICES = ("phone", "tablet", "desktop")
SYSTEMS = ("ios", "android", "harmony", "windows", "macos", "linux", "other")
BROWSERS = ("safari", "chrome", "firefox", "edge", "samsung", "opera", "uc", "other")
APPS = {
    "wechat": "micromessenger/",
    "xiaohongshu": "xhsdiscover|xiaohongshu|discover/[0-9]",
    "weibo": "weibo",
    "qq": r"\bqq/[0-9]",
    "douyin": "aweme|douyin",
    "tiktok": "musical_ly|tiktok|bytedancewebview",
    "alipay": "alipayclient",
    "dingtalk": "dingtalk",
    "line": r"\bline/[0-9]",
    "kakaotalk": "kakaotalk",
    "instagram": "instagram ",
    "facebook": r"\bfb_iab|\bfban/|\bfbav/",
    "messenger": "orca-android|messengerlite|messengerforios",
    "whatsapp": "whatsapp",
    "telegram": "telegram",
    "x": "twitter for|twitterandroid",
    "snapchat": "snapchat",
    "pinterest": r"\[pinterest/",
    "linkedin": "linkedinapp",
}
"""The browsers inside apps, by what they say of themselves. Messenger also says FBAN, so the special come first."""

_APPS = [(name, re.compile(APPS[name], re.I)) for name in ("messenger", *(app for app in APPS if app != "messenger"))]
_BROWSERS = [
    ("edge", re.compile(r"\bedg(?:e|a|ios)?/", re.I)),
    ("samsung", re.compile(r"samsungbrowser/", re.I)),
    ("opera", re.compile(r"\bopr/|\bopera|\bopios/", re.I)),
    ("uc", re.compile(r"ucbrowser/|\bubrowser/", re.I)),
    ("firefox", re.compile(r"firefox/|fxios/", re.I)),
    ("chrome", re.compile(r"chrome/|crios/|chromium/", re.I)),
    ("safari", re.compile(r"safari/|applewebkit.*mobile/", re.I)),
]


class Agent(msgspec.Struct, frozen=True):
    device: str
    os: str
    browser: str
    in_app: str = ""
    """The app whose browser this is; empty in a browser of its own."""


@lru_cache(maxsize=4096)
def agent_of(given: bytes) -> Agent:
    text = given[:1000].decode("latin-1")
    low = text.lower()
    system = _system(low)
    in_app = next((name for name, signs in _APPS if signs.search(text)), "")
    browser = next((name for name, signs in _BROWSERS if signs.search(text)), "other")
    return Agent(_device(low, system), system, browser, in_app)


def _system(low: str) -> str:
    if "iphone" in low or "ipad" in low or "ipod" in low:
        return "ios"
    if "openharmony" in low or "harmonyos" in low:
        return "harmony"
    if "android" in low:
        return "android"
    if "windows" in low:
        return "windows"
    if "mac os x" in low or "macintosh" in low:
        return "macos"
    return "linux" if "linux" in low or "cros " in low else "other"


def _device(low: str, system: str) -> str:
    # An Android tablet leaves "mobile" out; that is all that tells it from a phone.
    if "ipad" in low or "tablet" in low or (system == "android" and "mobile" not in low):
        return "tablet"
    return "phone" if system in ("ios", "android", "harmony") or "mobile" in low else "desktop"
