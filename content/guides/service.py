import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Forbidden, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.ids import new_code
from app.text import clean, markdown, slugify
from content.guides import policy
from content.guides.events import GuideChanged, GuidePublished
from content.guides.schemas import Block, Heading, NewGuide, Pick, Text
from content.guides.source import blocks_of
from content.reviews.shelf import products_by_ids, products_by_slugs

RESERVED = {"new", "drafts"}


async def publish_guide(viewer: Viewer, new: NewGuide) -> str:
    """Publish a guide; its slug, which it keeps."""
    member_id = require_member(viewer)
    title, summary, blocks = await _checked(new)
    slug = wanted = slugify(title, "guide")
    async with db.transaction():
        guide_id = None
        while guide_id is None:
            if slug not in RESERVED:
                guide_id = await _insert(slug, member_id, title, summary, new.lang, blocks)
            if guide_id is None:
                slug = f"{wanted[:50]}-{new_code(4)}"
        await _note_products(guide_id, blocks)
        await publish(GuidePublished(guide_id=guide_id), actor_id=member_id)
    return slug


async def edit_guide(viewer: Viewer, slug: str, new: NewGuide) -> None:
    """Change one's own guide. Editing it counts as checking it."""
    member_id = require_member(viewer)
    guide = await policy.access_guide(viewer, slug)
    if not policy.may_edit(viewer, guide):
        raise Forbidden(_("Only its author can change a guide."))
    title, summary, blocks = await _checked(new)
    async with db.transaction():
        await db.execute(
            """UPDATE guide SET title = $2, summary = $3, lang = $4, blocks = $5::jsonb, checked_at = $6
                WHERE id = $1""",
            guide["id"],
            title,
            summary,
            new.lang,
            _stored(blocks),
            clock.now(),
        )
        await db.execute("DELETE FROM guide_product WHERE guide_id = $1", guide["id"])
        await _note_products(guide["id"], blocks)
        await publish(GuideChanged(guide_id=guide["id"]), actor_id=member_id)


async def from_source(title: str, summary: str, lang: str, source: str) -> NewGuide:
    """A guide as typed in the form: the products behind its slugs are found, or named as missing."""
    blocks = blocks_of(source)
    picks = [block for block in blocks if isinstance(block, Pick)]
    ids = {row["slug"]: str(row["id"]) for row in (await products_by_slugs([p.product for p in picks])).values()}
    if missing := [pick.product for pick in picks if pick.product not in ids]:
        raise Invalid("source", _("There is no product “%(slug)s” here.", slug=missing[0][:80]))
    for pick in picks:
        pick.product = ids[pick.product]
    return NewGuide(title=title, summary=summary, lang=lang, blocks=blocks)  # type: ignore[arg-type]


def blocks_in(guide: asyncpg.Record) -> list[Block]:
    return msgspec.convert(guide["blocks"], list[Block])


async def _insert(slug: str, member_id: int, title: str, summary: str, lang: str, blocks: list[Block]) -> int | None:
    """The guide's id, or None when its address is taken."""
    return await db.fetch_val(
        """INSERT INTO guide (slug, author_id, title, summary, lang, blocks, created_at, checked_at)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $7) ON CONFLICT DO NOTHING RETURNING id""",
        slug,
        member_id,
        title,
        summary,
        lang,
        _stored(blocks),
        clock.now(),
    )


async def _checked(new: NewGuide) -> tuple[str, str, list[Block]]:
    title = clean(new.title, "title", least=3, most=160)
    summary = clean(new.summary, "summary", most=500)
    blocks = [_clean_block(block) for block in new.blocks]
    if not blocks:
        raise Invalid("blocks", _("A guide needs something to say."), {"source": _("Please fill this in.")})
    ids = _product_ids(blocks)
    known = await products_by_ids(ids) if ids else {}
    if missing := [product_id for product_id in ids if product_id not in known]:
        raise Invalid("blocks", _("There is no product “%(slug)s” here.", slug=missing[0]))
    return title, summary, blocks


def _clean_block(block: Block) -> Block:
    if isinstance(block, Heading):
        return Heading(clean(block.text, "blocks", least=1, most=160))
    if isinstance(block, Text):
        source = clean(block.markdown, "blocks", least=1, most=20_000, lines=True)
        return Text(source, markdown(source))
    return Pick(
        product=block.product,
        why=clean(block.why, "blocks", most=1000),
        pros=_points(block.pros),
        cons=_points(block.cons),
    )


def _points(points: list[str]) -> list[str]:
    if len(points) > 8:
        raise Invalid("blocks", _("At most eight points for and eight against a product, please."))
    return [clean(point, "blocks", least=1, most=200) for point in points]


def _product_ids(blocks: list[Block]) -> list[int]:
    """The products of the guide, each once, in its order."""
    ids: dict[int, None] = {}
    for block in blocks:
        if isinstance(block, Pick):
            if not (block.product.isascii() and block.product.isdigit() and len(block.product) < 19):
                raise Invalid("blocks", _("There is no product “%(slug)s” here.", slug=block.product[:80]))
            ids[int(block.product)] = None
    return list(ids)


def _stored(blocks: list[Block]) -> str:
    return msgspec.json.encode(blocks).decode()


async def _note_products(guide_id: int, blocks: list[Block]) -> None:
    ids = _product_ids(blocks)
    await db.execute(
        """INSERT INTO guide_product (guide_id, product_id, position)
           SELECT $1, product_id, place FROM unnest($2::bigint[]) WITH ORDINALITY AS given (product_id, place)""",
        guide_id,
        ids,
    )
