from app.events import on
from community.chat import service
from community.groups.events import GroupJoined, GroupLeft
from community.moderation.events import SubjectHidden, SubjectRestored


@on(GroupJoined)
async def tell_of_arrival(event: GroupJoined) -> None:
    await service.note_membership(event.group_id, event.member_id)


@on(GroupLeft)
async def tell_of_departure(event: GroupLeft) -> None:
    await service.note_membership(event.group_id, event.member_id)


@on(SubjectHidden)
async def withhold_message(event: SubjectHidden) -> None:
    if event.kind == "message":
        await service.tell_again(event.subject_id)


@on(SubjectRestored)
async def show_message_again(event: SubjectRestored) -> None:
    if event.kind == "message":
        await service.tell_again(event.subject_id)
