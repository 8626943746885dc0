from app.auth import Viewer, require_member
from app.errors import Invalid
from app.i18n import gettext as _
from app.limits import limit
from community.members.service import check_password


async def confirm_person(viewer: Viewer, password: str, *, field: str = "password") -> None:
    """The password once more: an open browser is not yet its owner."""
    member_id = require_member(viewer)
    await limit("payout-password", member_id, most=10, per=300)
    if await check_password(viewer.handle, password[:1024]) != member_id:
        raise Invalid(field, _("This is not your password."))
