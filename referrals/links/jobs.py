from app.events import on, within
from community.members.events import MemberJoined
from referrals.links import service
from storefront.catalog.events import ProductChanged


@within(MemberJoined)
async def give_personal_link(event: MemberJoined) -> None:
    """In the commit of the sign-up: nobody is a member for one moment without a link, a code and a QR."""
    await service.make_personal_link(event.member_id, event.handle)


@on(ProductChanged)
async def follow_the_product(event: ProductChanged) -> None:
    await service.follow_product(event.product_id)
