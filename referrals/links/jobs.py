from app.events import on, within
from app.jobs import every
from community.members.events import MemberJoined
from referrals.links import domains, service
from referrals.links.events import ShortDomainAdded
from storefront.catalog.events import ProductChanged


@within(MemberJoined)
async def give_personal_link(event: MemberJoined) -> None:
    """In the commit of the sign-up: nobody is a member for one moment without a link, a code and a QR."""
    await service.make_personal_link(event.member_id, event.handle)


@on(ProductChanged)
async def follow_the_product(event: ProductChanged) -> None:
    await service.follow_product(event.product_id)


@on(ShortDomainAdded)
async def look_for_the_proof(event: ShortDomainAdded) -> None:
    await domains.prove(event.domain_id)


@every("*/10 * * * *")
async def look_for_proofs_again() -> None:
    for domain_id in await domains.due_for_a_look():
        await domains.prove(domain_id)
