"""How often one may ask, by the page and by the API alike."""

from ipaddress import ip_address

from litestar import Request

from app.auth import Viewer
from app.limits import limit
from app.settings import settings
from app.web import address_of

A_MINUTE = 120


async def not_too_often(request: Request, viewer: Viewer) -> None:
    """Two a second is more than anybody types; one address of strangers may be a whole school."""
    if viewer.is_member:
        await limit("search", viewer.member_id, most=A_MINUTE, per=60)
    elif not _is_at_home(request):
        await limit("search", address_of(request), most=A_MINUTE * 5, per=60)


def _is_at_home(request: Request) -> bool:
    """A stranger on the demo's own machine: whoever measures it."""
    if settings().is_production or request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False
