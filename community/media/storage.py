"""Where pictures are kept: a folder or a bucket, behind one API. A key is written once and never changed."""

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from obstore.store import LocalStore, from_url

from app.errors import NotFound
from app.settings import settings

MEDIA_TYPES = {
    "webp": "image/webp",
    "png": "image/png",
    "jpg": "image/jpeg",
    "avif": "image/avif",
    "svg": "image/svg+xml",
    "bin": "application/octet-stream",
    "pdf": "application/pdf",
}
# What lies under it is not shown to whoever has the address: the feature that put it there says who may see it.
PRIVATE = "private/"
_KEY = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,80}/){0,3}[A-Za-z0-9][A-Za-z0-9_-]{0,120}\.([a-z]{3,4})")


async def put(key: str, content: bytes | Path) -> None:
    """Keep this (bytes, or a file however large) under the key; it is durable when this returns."""
    media_type_of(key)
    await _store().put_async(key, content)


async def get(key: str) -> bytes:
    media_type_of(key)
    try:
        found = await _store().get_async(key)
    except FileNotFoundError as missing:
        raise NotFound() from missing
    return bytes(await found.bytes_async())


async def stream(key: str) -> AsyncIterator[bytes]:
    """What is kept there, piece by piece."""
    media_type_of(key)
    try:
        found = await _store().get_async(key)
    except FileNotFoundError as missing:
        raise NotFound() from missing
    return _pieces(found)


async def _pieces(found: Any) -> AsyncIterator[bytes]:
    async for piece in found.stream():
        yield bytes(piece)


async def forget(key: str) -> None:
    """Remove it; a key that is not there is fine."""
    with suppress(FileNotFoundError):
        await _store().delete_async(key)


def media_type_of(key: str) -> str:
    """The type a key is served with, or NotFound: only names we would have made are looked up at all."""
    if not is_key(key):
        raise NotFound()
    return MEDIA_TYPES[key.rpartition(".")[2]]


def is_key(name: str) -> bool:
    named = _KEY.fullmatch(name)
    return named is not None and named[1] in MEDIA_TYPES


def _store() -> Any:
    current = settings()
    return _open(current.storage_url or f"file://{(current.data_dir / 'media').resolve()}")


@cache
def _open(url: str) -> Any:
    if url.startswith("file:"):
        return LocalStore(Path(unquote(urlsplit(url).path)), mkdir=True)
    # Region, endpoint and keys come from the storage client's usual variables (AWS_…, GOOGLE_…, AZURE_…).
    return from_url(url)
