from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import big, moment, words


class Document(Table, tablename="search_document"):
    """What the PostgreSQL engine searches. `group_id` set: only those who may read the group find it.

    The tsvector column and its indexes are made in the migration; Piccolo does not know the type.
    """

    id = BigSerial(primary_key=True)
    kind = words()
    ref_id = big()
    title = words()
    body = words(optional=True)
    url = words()
    lang = words(optional=True)
    group_id = big(null=True)
    product_id = big(null=True)
    updated_at = moment()

    search_document_once = Unique([kind, ref_id])
