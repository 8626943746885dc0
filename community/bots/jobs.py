from app import db
from app.events import on
from app.jobs import every, job
from community.bots import room_webhooks, service
from community.groups.events import GroupLeft, RoleGiven
from community.webhooks.sending import send_waiting, switch_off_those_of
from community.webhooks.service import wake, wake_forgotten
from community.webhooks.source import Source


@job
async def send_room_events(payload: bytes) -> None:
    await send_waiting(int(payload), SOURCE)


SOURCE = Source(
    owner_kind=room_webhooks.OWNER,
    types=room_webhooks.TYPES,
    access=room_webhooks.access,
    read=room_webhooks.read,
    gather=room_webhooks.gather,
    start_at=room_webhooks.start_at,
    owner=room_webhooks.owner,
    send=send_room_events,
)


async def send_soon() -> int:
    """Wake every endpoint whose room has moved; how many."""
    endpoint_ids = await room_webhooks.behind()
    async with db.transaction():
        for endpoint_id in endpoint_ids:
            await wake(send_room_events, endpoint_id)
    return len(endpoint_ids)


@every("* * * * *")
async def look_at_every_room() -> None:
    """The web processes wake who listens within a second; this is for what they missed."""
    await send_soon()
    await wake_forgotten(room_webhooks.OWNER, send_room_events)


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


async def _take_from(group_id: int, member_id: int) -> None:
    """Who runs the group no longer hears nothing more at their address, and speaks by no bot of theirs."""
    await switch_off_those_of(SOURCE, group_id, member_id)
    await service.forget_secrets_of(group_id, member_id)
