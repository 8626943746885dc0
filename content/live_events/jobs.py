from app.events import on, within
from app.jobs import every
from community.groups.events import GroupLeft
from community.members.events import MemberErased
from community.moderation.events import SubjectHidden, SubjectRestored
from content.live_events import pins, reminders, service
from content.live_events.events import LiveEventCancelled, LiveEventMoved, LiveEventStarted
from storefront.catalog.events import ProductChanged, ProductListed, ProductWithdrawn


@on(ProductChanged)
async def tell_of_change(event: ProductChanged) -> None:
    await pins.tell_of_product(event.product_id)


@on(ProductListed)
async def tell_of_return(event: ProductListed) -> None:
    await pins.tell_of_product(event.product_id)


@on(ProductWithdrawn)
async def tell_of_withdrawal(event: ProductWithdrawn) -> None:
    await pins.tell_of_product(event.product_id)


@within(GroupLeft)
async def leave_the_groups_stages(event: GroupLeft) -> None:
    """In the same commit: whoever is out of the group is out of its events, also as their host."""
    await service.leave_stages(event.group_id, event.member_id)


@on(MemberErased)
async def clear_stage(event: MemberErased) -> None:
    await service.clear_stage_of(event.member_id)


@on(SubjectHidden)
async def take_off_the_air(event: SubjectHidden) -> None:
    if event.kind == "live":
        await service.clear_stage(event.subject_id)


@within(SubjectHidden)
async def shut_the_room(event: SubjectHidden) -> None:
    """In the same commit: who hears the room hears nothing after it."""
    if event.kind == "live":
        await service.shut_room(event.subject_id, True)


@within(SubjectRestored)
async def open_the_room_again(event: SubjectRestored) -> None:
    if event.kind == "live":
        await service.shut_room(event.subject_id, False)


@on(LiveEventStarted)
async def ring_for_start(event: LiveEventStarted) -> None:
    await reminders.ring(event.event_id, "live_started")


@on(LiveEventMoved)
async def ring_for_move(event: LiveEventMoved) -> None:
    await reminders.ring(event.event_id, "live_moved")


@on(LiveEventCancelled)
async def ring_for_end(event: LiveEventCancelled) -> None:
    await reminders.ring(event.event_id, "live_cancelled")


@every("* * * * *")
async def ring_before() -> None:
    await reminders.ring_before()


@every("*/10 * * * *")
async def end_forgotten() -> None:
    await service.end_forgotten()
