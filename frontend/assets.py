"""Static files under an address that changes with their content, so that a browser may keep them for ever."""

import gzip
import mimetypes
from functools import lru_cache
from pathlib import Path

from litestar import Request, Response, get
from litestar.params import FromPath

from app.errors import NotFound
from app.settings import settings
from app.web import FRONTEND, asset_version

FOR_EVER = "public, max-age=31536000, immutable"
COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml")
PACKED = FRONTEND / "static" / "build"
mimetypes.add_type("text/javascript", ".js")


@get("/static/{version:str}/{path:path}", include_in_schema=False)
async def serve(request: Request, version: FromPath[str], path: FromPath[Path]) -> Response[bytes]:
    """A file of frontend/static or, below components/, a component: packed, or as it was written."""
    file = _find(str(path).lstrip("/"))
    kind, plain, small = packed(file, file.stat().st_mtime_ns)
    headers = {"Cache-Control": FOR_EVER if settings().is_production else "no-cache", "Vary": "Accept-Encoding"}
    if small and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(small, media_type=kind, headers={**headers, "Content-Encoding": "gzip"})
    return Response(plain, media_type=kind, headers=headers)


def _find(path: str) -> Path:
    roots = [FRONTEND / "static"]
    if path.startswith("components/"):
        roots = [PACKED, FRONTEND] if are_packed(asset_version()) else [FRONTEND]
    try:
        for root in roots:
            file = (root / path).resolve()
            if file.is_relative_to(root.resolve()) and file.is_file():
                return file
    except (OSError, ValueError) as error:
        # No file system has names that long, or with a NUL in them.
        raise NotFound() from error
    raise NotFound()


@lru_cache(maxsize=1)
def are_packed(version: str) -> bool:
    """Whether the front end was built after the last change of a component (`version`: of all files)."""
    made = [file.stat().st_mtime_ns for file in (PACKED / "components").glob("*.js")]
    return bool(made) and min(made) >= max(file.stat().st_mtime_ns for file in (FRONTEND / "components").glob("*.js"))


@lru_cache(maxsize=256)
def packed(file: Path, changed: int) -> tuple[str, bytes, bytes | None]:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    plain = file.read_bytes()
    small = gzip.compress(plain, 9, mtime=0) if kind.startswith(COMPRESSIBLE) else None
    return kind, plain, small
