"""Stores with their programmes and products; reviews with votes; guides."""

import msgspec

from app import db
from app.settings import settings
from app.text import markdown
from content.guides.schemas import Block, Heading, Pick, Text
from content.reviews.rating import recount
from content.reviews.service import language_of
from demo.content.model import Guide, Product, Review
from demo.filling.rows import Filling, copy_in, go_to, tag, take_ids
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from storefront.stores.schemas import NewStore
from storefront.stores.service import open_store

DAY = 86400
YEAR = 365 * DAY
WINDOW_DAYS = 30
SHOP_PATH = "/demo-shop/p/"


async def open_shops(f: Filling) -> None:
    go_to(f.at(YEAR))
    for store in f.content.stores:
        new = NewStore(store.slug, store.name, "generic", store.currency, settings().base_url)
        await open_store(new, owner_id=f.members[store.owner])
        row = await db.fetch_one("SELECT id, secret FROM store WHERE slug = $1", store.slug)
        assert row is not None
        f.stores[store.slug], f.secrets[store.slug] = row["id"], row["secret"]
        rules = Rules(rate_bps=store.rate_bps, hold_days=store.hold_days, window_days=WINDOW_DAYS, model="last")
        await publish_rules(store.slug, rules)


async def fill_shelves(f: Filling) -> None:
    # The pack that everybody talks about came last, so lists of the newest begin with it.
    products = f.content.products[::-1]
    for product, product_id in zip(products, await take_ids("product", len(products)), strict=True):
        f.products[product.slug] = product_id
    listed = {product.slug: f.at(YEAR - DAY * (1 + place // 3)) for place, product in enumerate(products)}
    await copy_in(
        "product",
        "id store_id external_id slug title description url price currency "
        "image_url picture picture_source brand category gtin created_at updated_at source_updated_at",
        [
            (
                f.products[product.slug],
                f.stores[product.store],
                product.sku,
                product.slug,
                product.title,
                product.about,
                address_of(product, settings().base_url),
                product.price,
                product.currency,
                *[f"/media/{f.pictures[f'product/{product.slug}']}"] * 3,
                product.brand,
                product.category,
                "",
                *[listed[product.slug]] * 3,
            )
            for product in products
        ],
    )


def address_of(product: Product, base_url: str) -> str:
    """Northfold has pages of its own; for the other shops our page of the product stands in."""
    return f"{base_url}{SHOP_PATH}{product.sku}" if product.store == "demo" else f"{base_url}/p/{product.slug}"


async def write_reviews(f: Filling) -> None:
    reviews = sorted(f.content.reviews, key=lambda review: -review.ago)
    for review, review_id in zip(reviews, await take_ids("review", len(reviews)), strict=True):
        f.reviews[review.product, review.by] = review_id
    await copy_in(
        "review",
        "id product_id author_id author_name external_key rating title body html lang evidence "
        "helpful_count created_at",
        [
            (
                f.reviews[review.product, review.by],
                f.products[review.product],
                f.members[review.by],
                "",
                "",
                review.stars,
                review.title,
                body := whole_body(review),
                markdown(body),
                language_of(body),
                "none",
                len(review.helpful),
                f.at(review.ago),
            )
            for review in reviews
        ],
    )
    rng = f.rng("votes")
    await copy_in(
        "review_vote",
        "review_id member_id created_at",
        [
            (
                f.reviews[review.product, review.by],
                f.members[who],
                f.at(int(review.ago * rng.uniform(0.2, 0.95))),
            )
            for review in reviews
            for who in review.helpful
        ],
    )
    await recount(list(f.products.values()))


def whole_body(review: Review) -> str:
    """What was written, and below it what speaks for and against, where the writer listed it."""
    good, bad, comma = ("优点", "缺点", "、") if review.lang == "zh" else ("Good", "Less good", ", ")
    colon = "：" if review.lang == "zh" else ": "
    lines = [f"**{word}**{colon}{comma.join(said)}" for word, said in ((good, review.pros), (bad, review.cons)) if said]
    return "\n\n".join([review.body, "\n".join(lines)] if lines else [review.body])


async def write_guides(f: Filling) -> None:
    guides = sorted(f.content.guides, key=lambda guide: -guide.ago)
    for guide, guide_id in zip(guides, await take_ids("guide", len(guides)), strict=True):
        f.guides[guide.slug] = guide_id
    await db.execute_many(
        """INSERT INTO guide (id, slug, author_id, title, summary, lang, blocks, created_at, checked_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9)""",
        [
            (
                f.guides[guide.slug],
                guide.slug,
                f.members[guide.by],
                guide.title,
                guide.summary,
                tag(guide.lang),
                msgspec.json.encode([_block(f, block) for block in guide.blocks]).decode(),
                f.at(guide.ago),
                f.at(guide.ago // 4),
            )
            for guide in guides
        ],
    )
    await copy_in("guide_product", "guide_id product_id position", [row for g in guides for row in _picks(f, g)])


def _picks(f: Filling, guide: Guide) -> list[tuple[int, int, int]]:
    picked = dict.fromkeys(block.product for block in guide.blocks if block.product)
    return [(f.guides[guide.slug], f.products[slug], place) for place, slug in enumerate(picked, 1)]


def _block(f: Filling, block) -> Block:  # type: ignore[no-untyped-def]
    if block.kind == "heading":
        return Heading(block.text)
    if block.kind == "text":
        return Text(block.text, markdown(block.text))
    return Pick(product=str(f.products[block.product]), why=block.text, pros=list(block.pros), cons=list(block.cons))
