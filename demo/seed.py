"""Fills an empty database with the demo community, in one transaction: it is there as a whole, or not at all."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from app import clock, db
from app.settings import settings
from community.media import storage
from demo.content import DemoContent, build
from demo.content.model import Product
from demo.filling import people, shops, threads, trade
from demo.filling.rows import Filling
from demo.pictures import portrait, product_picture
from search.service import reindex

Progress = Callable[[str, int, int], None]
"""What is being done, how far it is, of how many."""

STEPS = 100
FACES = (256, 64)


async def seed(seed: int, progress: Progress) -> None:
    """Does nothing but keep addresses right when somebody already lives here."""
    if await db.fetch_val("SELECT 1 FROM member LIMIT 1"):
        await _follow_address(seed)
        return
    content = build(seed)
    progress("drawing pictures", 0, STEPS)
    filling = Filling(content=content, now=clock.now(), seed=seed)
    filling.pictures = await _draw_and_keep(content)
    try:
        async with db.transaction():
            await _fill(filling, progress)
    finally:
        clock.travel_home()
    progress("making it findable", 85, STEPS)
    await reindex()
    await db.execute("ANALYZE")
    progress("done", STEPS, STEPS)


async def _fill(f: Filling, progress: Progress) -> None:
    progress("members and groups", 20, STEPS)
    await people.settle_members(f)
    await people.found_groups(f)
    progress("threads and chats", 25, STEPS)
    await threads.write_threads(f)
    await threads.write_chats(f)
    progress("shops, reviews and guides", 35, STEPS)
    await shops.open_shops(f)
    await shops.fill_shelves(f)
    await shops.write_reviews(f)
    await shops.write_guides(f)
    progress("a month of links and orders", 45, STEPS)
    await trade.share_links(f)
    await trade.count_clicks(f)
    await trade.run_the_tills(
        f, lambda done, total: progress("a month of links and orders", 45 + 38 * done // total, STEPS)
    )
    await threads.ring_bells(f)


async def _draw_and_keep(content: DemoContent) -> dict[str, str]:
    """Draw every picture on all cores and put it into the storage; the keys."""
    loop, keys = asyncio.get_running_loop(), {}
    with ProcessPoolExecutor() as pool:
        products = [
            (f"product/{product.slug}", f"products/{product.slug}.webp", loop.run_in_executor(pool, _draw, product))
            for product in content.products
        ]
        faces = [
            (
                f"member/{member.handle}",
                f"avatars/{member.handle}-{size}.webp",
                loop.run_in_executor(pool, portrait, member.handle, size),
            )
            # A few never chose a picture, as everywhere.
            for member in content.members[::1]
            if member.bio and not member.new
            for size in reversed(FACES)
        ]
        for name, key, drawn in products + faces:
            await storage.put(key, await drawn)
            keys[name] = key
    return keys


def _draw(product: Product) -> bytes:
    return product_picture(product)


async def _follow_address(seed: int) -> None:
    base_url = settings().base_url
    origin = await db.fetch_val("SELECT origin FROM store WHERE slug = 'demo'")
    if origin and origin != base_url:
        await trade.follow_address(origin, base_url, build(seed).products)
