from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import moment, reference, words
from community.members.tables import Member


class SocialAccount(Table, tablename="social_account"):
    """A channel or profile elsewhere that a member says is theirs, and proves by a code of ours in its own words.

    One account is proven by one member at a time (partial index in the migration).
    """

    id = BigSerial(primary_key=True)
    member_id = reference(Member)
    platform = words()
    kind = words()
    """Where the code is to stand: the words of the `account`, or of a `post` by it."""
    key = words()
    code = words(optional=True)
    """Empty once it has done its work."""
    asked_at = moment()
    account = words(optional=True)
    """Whose it proved to be, as the platform numbers its accounts."""
    name = words(optional=True)
    url = words(optional=True)
    state = words()
    why = words(optional=True)
    looked_at = moment(null=True)
    proven_at = moment(null=True)

    social_account_once = Unique([member_id, platform, kind, key])
    social_account_state_known = Check("state IN ('asked', 'looking', 'failed', 'proven')")
    social_account_kind_known = Check("kind IN ('post', 'account')")
    social_account_proven_is_known = Check("(state = 'proven') = (proven_at IS NOT NULL AND account <> '')")
