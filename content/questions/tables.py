from piccolo.columns import BigSerial
from piccolo.table import Table

from app.columns import moment, reference, words
from community.members.tables import Member
from storefront.catalog.tables import Product


class Question(Table, tablename="question"):
    """What someone wants to know about a product before buying it."""

    id = BigSerial(primary_key=True)
    product_id = reference(Product, index=False)
    author_id = reference(Member)
    body = words()
    created_at = moment()


class Answer(Table, tablename="answer"):
    """An answer. Whether it is the store's own is computed from who wrote it."""

    id = BigSerial(primary_key=True)
    question_id = reference(Question, cascade=True)
    author_id = reference(Member)
    body = words()
    html = words()
    created_at = moment()
