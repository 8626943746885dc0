from piccolo.columns import BigSerial
from piccolo.table import Table

from app.columns import moment, raw_bytes, reference, words
from community.members.tables import Member


class Session(Table, tablename="session"):
    """A signed-in browser. The cookie holds the token; only its digest is here."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    token_digest = raw_bytes(unique=True)
    user_agent = words(optional=True)
    created_at = moment()
    seen_at = moment()
    expires_at = moment()


class ApiToken(Table, tablename="api_token"):
    """A program's key to a member's account, limited to scopes (comma-separated)."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    token_digest = raw_bytes(unique=True)
    name = words(optional=True)
    scopes = words()
    created_at = moment()
    used_at = moment(null=True)
    """To a few minutes; `used_from` is the network it was used from, no more of an address than that."""
    used_from = words(optional=True)
    revoked_at = moment(null=True)
