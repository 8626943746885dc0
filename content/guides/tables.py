from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import count, document, moment, reference, words
from community.members.tables import Member
from storefront.catalog.tables import Product


class Guide(Table, tablename="guide"):
    """A buying guide: structured blocks (heading, text, product with a reason), checked on a date."""

    id = BigSerial(primary_key=True)
    slug = words(unique=True)
    author_id = reference(Member)
    title = words()
    summary = words(optional=True)
    lang = words(optional=True)
    blocks = document()
    created_at = moment(index=True)
    checked_at = moment()


class GuideDraft(Table, tablename="guide_draft"):
    """A guide as its author has typed it so far. `made_from` is the page of ours that it began with, if any."""

    id = BigSerial(primary_key=True)
    author_id = reference(Member)
    title = words()
    summary = words(optional=True)
    lang = words(optional=True)
    source = words(optional=True)
    made_from = words(optional=True)
    created_at = moment()
    changed_at = moment()


class GuideProduct(Table, tablename="guide_product"):
    """A product that a guide talks about, in its order."""

    id = BigSerial(primary_key=True)
    guide_id = reference(Guide, cascade=True, index=False)
    product_id = reference(Product)
    position = count()

    guide_product_once = Unique([guide_id, product_id])
