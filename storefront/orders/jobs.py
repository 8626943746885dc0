from app.events import on
from community.members.events import EmailProven, MemberJoined
from storefront.catalog.events import ProductListed
from storefront.orders import service


@on(ProductListed)
async def link_lines(event: ProductListed) -> None:
    await service.link_lines(event.product_id)


@on(MemberJoined)
async def recognise_customer(event: MemberJoined) -> None:
    await service.recognise_customer(event.member_id)


@on(EmailProven)
async def recognise_proven_customer(event: EmailProven) -> None:
    await service.recognise_customer(event.member_id)
