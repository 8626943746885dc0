"""Keys that shops gave us, kept so that a copy of the database alone opens no shop."""

import base64
import hashlib
from typing import Any

from app.errors import Problem
from app.settings import settings


class KeysLost(Problem):
    """The keys of this shop cannot be read: they were kept under another GRAPEVINE_SECRET_KEY. Enter them again."""

    status = 409
    type = "keys-lost"
    title = "The shop's keys cannot be read"


def seal(text: str) -> str:
    return _box().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    from cryptography.fernet import InvalidToken

    try:
        return _box().decrypt(sealed.encode()).decode() if sealed else ""
    except InvalidToken as error:
        raise KeysLost() from error


def _box() -> Any:
    # Loaded when a shop's keys are used, which is seldom: it is 6 MB in every web process otherwise.
    from cryptography.fernet import Fernet

    secret = hashlib.sha256(b"store-access:" + settings().secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(secret))
