from app import db
from app.events import on, within
from app.jobs import every, job
from community.bots import room_webhooks, service
from community.chat.events import RoleLost
from community.groups.events import GroupLeft, RoleGiven
from community.members.events import MemberErased
from community.webhooks.queries import told_by
from community.webhooks.sending import send_waiting, switch_off_those_of
from community.webhooks.service import wake, wake_forgotten
from community.webhooks.source import Source


@job
async def send_room_events(payload: bytes) -> None:
    await send_waiting(int(payload), SOURCE)


@job
async def send_events_of_kept_room(payload: bytes) -> None:
    await send_waiting(int(payload), SOURCE_OF_ROOMS)


SOURCE = Source(
    owner_kind=room_webhooks.GROUP,
    types=room_webhooks.TYPES,
    access=room_webhooks.access_group,
    read=room_webhooks.read,
    gather=room_webhooks.gather,
    start_at=room_webhooks.start_at_of_group,
    owner=room_webhooks.owner_of_group,
    send=send_room_events,
)
SOURCE_OF_ROOMS = Source(
    owner_kind=room_webhooks.ROOM,
    types=room_webhooks.TYPES,
    access=room_webhooks.access_room,
    read=room_webhooks.read,
    gather=room_webhooks.gather,
    start_at=room_webhooks.start_at_of_room,
    owner=room_webhooks.owner_of_room,
    send=send_events_of_kept_room,
)
SOURCES = {source.owner_kind: source for source in (SOURCE, SOURCE_OF_ROOMS)}


async def send_soon() -> int:
    """Wake every endpoint whose room has moved; how many."""
    behind = await room_webhooks.behind()
    async with db.transaction():
        for owner_kind, endpoint_id in behind:
            await wake(SOURCES[owner_kind].send, endpoint_id)
    return len(behind)


@every("* * * * *")
async def look_at_every_room() -> None:
    """The web processes wake who listens within a second; this is for what they missed."""
    await send_soon()
    for source in SOURCES.values():
        await wake_forgotten(source.owner_kind, source.send)


@every("47 4 * * *")
async def forget_old_deeds() -> None:
    await service.forget_deeds()


@on(GroupLeft)
async def take_what_they_hold(event: GroupLeft) -> None:
    await _take_from(event.group_id, event.member_id)


@on(RoleGiven)
async def take_what_a_moderator_held(event: RoleGiven) -> None:
    if event.role == "member":
        await _take_from(event.group_id, event.member_id)


@within(RoleLost)
async def take_what_a_host_held(event: RoleLost) -> None:
    """In the same commit: who hosts no longer hears nothing more, and speaks by no bot of theirs."""
    await _take_from_room(event.room_id, event.member_id)


@on(MemberErased)
async def take_what_an_erased_member_held(event: MemberErased) -> None:
    for source in SOURCES.values():
        for owner_id in await told_by(source.owner_kind, event.member_id):
            await switch_off_those_of(source, owner_id, event.member_id)
    for room_id in await service.rooms_with_bots_of(event.member_id):
        await service.forget_secrets_of(room_id, event.member_id)


async def _take_from(group_id: int, member_id: int) -> None:
    """Who runs the group no longer hears nothing more at their address, and speaks by no bot of theirs; in the rooms of
    its events neither, unless they host them."""
    await switch_off_those_of(SOURCE, group_id, member_id)
    for room_id in await service.rooms_no_longer_run(group_id, member_id):
        await _take_from_room(room_id, member_id)


async def _take_from_room(room_id: int, member_id: int) -> None:
    await switch_off_those_of(SOURCE_OF_ROOMS, room_id, member_id)
    await service.forget_secrets_of(room_id, member_id)
