"""Our own copy of each product's picture: a reader's browser asks nobody but us, and no page waits for a shop.

Fetched by a job, through the guarded client, and re-encoded like any picture from outside.
"""

import hashlib
import logging
from datetime import timedelta
from urllib.parse import urljoin

import asyncpg

from app import clock, db
from app.errors import Problem
from app.http import CannotFetch, fetch
from community.media import storage
from community.media.pictures import MOST_BYTES, develop

log = logging.getLogger(__name__)

SIDE = 960
HOPS = 4
SECONDS = 20
TRY_AGAIN_AFTER = timedelta(hours=20)
AT_ONCE = 500


async def keep_picture(product_id: int) -> None:
    """Fetch, re-encode and keep a product's picture. What stands in the way is noted; a chore tries again later."""
    row = await db.fetch_one("SELECT image_url, picture_source FROM product WHERE id = $1", product_id)
    if row is None or row["image_url"] == row["picture_source"]:
        return
    picture, problem = "", ""
    if row["image_url"]:
        try:
            picture = await _copy(row["image_url"])
        except CannotFetch as failed:
            problem = failed.why
        except Problem as refused:
            problem = refused.detail
    await _show(product_id, row, picture, problem)


async def missing(limit: int = AT_ONCE) -> list[int]:
    """Products whose picture is not ours yet, and that were not tried within the last hours."""
    rows = await db.fetch(
        """SELECT id FROM product
            WHERE picture_source <> image_url AND (picture_tried_at IS NULL OR picture_tried_at < $1)
            ORDER BY picture_tried_at NULLS FIRST, id LIMIT $2""",
        clock.now() - TRY_AGAIN_AFTER,
        limit,
    )
    return [row["id"] for row in rows]


async def _show(product_id: int, seen: asyncpg.Record, picture: str, problem: str) -> None:
    """Show the picture, unless the shop named another one meanwhile: that one has a job of its own.

    After a failure the former picture stays: an old photo is better than none."""
    await db.execute(
        """UPDATE product SET picture = CASE WHEN $4 = '' THEN $3 ELSE picture END, picture_problem = $4,
                  picture_source = CASE WHEN $4 = '' THEN image_url ELSE picture_source END, picture_tried_at = $5
            WHERE id = $1 AND image_url = $2""",
        product_id,
        seen["image_url"],
        picture,
        problem[:200],
        clock.now(),
    )
    if problem:
        log.warning("the picture of product %s could not be kept: %s", product_id, problem)


async def _copy(url: str) -> str:
    """The address of our copy; equal pictures are kept once."""
    (made,) = await develop(await _fetched(url), [str(SIDE)], field="image_url")
    key = f"products/{hashlib.sha256(made.content).hexdigest()[:32]}.webp"
    await storage.put(key, made.content)
    return f"/media/{key}"


async def _fetched(url: str) -> bytes:
    """Shops keep pictures behind a redirect or two; each step is checked like the first."""
    for _hop in range(HOPS):
        answer = await fetch("GET", url, headers={"Accept": "image/*"}, most_bytes=MOST_BYTES, seconds=SECONDS)
        if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
            url = urljoin(url, answer.headers["location"])
            continue
        if answer.status != 200:
            raise CannotFetch(f"status_{answer.status}", url)
        return answer.body
    raise CannotFetch("too_many_redirects", url)
