"""Fills an empty database with the demo community, in one transaction: it is there as a whole, or not at all."""

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from app import clock, db, supervise
from app.settings import settings
from community.media import storage
from demo.content import DemoContent, build
from demo.filling import aside, bots, chats, checks, live, partners, payday, people, programme, shops, threads, trade
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
        if not await db.fetch_val("SELECT 1 FROM search_document LIMIT 1"):
            # Somebody pulled the plug between the last row and the index.
            await reindex()
        return
    content = build(seed)
    filling = Filling(content=content, now=clock.now(), seed=seed, pictures=_picture_keys(content))
    # In a process of its own: the pictures are drawn while the database writes.
    drawing = asyncio.create_task(_draw_pictures(filling))
    try:
        async with db.transaction():
            await _fill(filling, progress)
            progress("drawing the last pictures", 86, STEPS)
            await drawing
        # What is said goes through the rooms' one writer, which sees what is committed.
        progress("words in the rooms", 90, STEPS)
        await bots.speak(filling)
        await chats.liven(filling)
    finally:
        drawing.cancel()
        clock.travel_home()
    progress("making it findable", 92, STEPS)
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
    await live.count_stock(f)
    await shops.write_reviews(f)
    await shops.write_guides(f)
    progress("two months of links and orders", 45, STEPS)
    await trade.share_links(f)
    await trade.count_clicks(f)
    await trade.hang_links(f)
    await trade.live_through(
        f,
        [*programme.deeds(), *partners.deeds(), *payday.deeds(), *checks.deeds(), *live.deeds()],
        lambda done, total: progress("two months of links and orders", 45 + 38 * done // total, STEPS),
    )
    progress("what happened lately", 84, STEPS)
    await aside.answer_reviews(f)
    await aside.ask_questions(f)
    await aside.handle_reports(f)
    await threads.ring_bells(f)


def _picture_keys(content: DemoContent) -> dict[str, str]:
    """Where each picture will be kept. A few members never chose one, as everywhere."""
    with_face = [member.handle for member in content.members if member.bio and not member.new]
    return {f"product/{product.slug}": f"products/{product.slug}.webp" for product in content.products} | {
        f"member/{handle}": f"avatars/{handle}-{FACES[0]}.webp" for handle in with_face
    }


async def _draw_pictures(f: Filling) -> None:
    loop = asyncio.get_running_loop()
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_belong_to_the_demo)
    try:
        drawn = {
            f.pictures[f"product/{product.slug}"]: loop.run_in_executor(pool, product_picture, product)
            for product in f.content.products
        }
        for member in f.content.members:
            if key := f.pictures.get(f"member/{member.handle}"):
                for size in FACES:
                    name = key.replace(f"-{FACES[0]}.", f"-{size}.")
                    drawn[name] = loop.run_in_executor(pool, portrait, member.handle, size)
        for key, picture in drawn.items():
            await storage.put(key, await picture)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # who stops the demo does not wait for its pictures


def _belong_to_the_demo() -> None:
    """The demo alone answers Ctrl-C, and its drawing process goes when it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    supervise.die_with_parent()


async def _follow_address(seed: int) -> None:
    base_url = settings().base_url
    origin = await db.fetch_val("SELECT origin FROM store WHERE slug = 'demo'")
    if origin and origin != base_url:
        await trade.follow_address(origin, base_url, build(seed).products)
