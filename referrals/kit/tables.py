from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import moment, reference, words
from referrals.links.tables import Link


class Poster(Table, tablename="poster"):
    """The last poster made of a link in a shape and a language. `digest` names all that is on it, and its file."""

    id = BigSerial(primary_key=True)
    link_id = reference(Link, cascade=True, index=False)
    shape = words()
    lang = words()
    digest = words()
    made_at = moment(index=True)

    poster_once = Unique([link_id, shape, lang])
