from app.events import on
from app.jobs import every
from community.chat import cards, exports, files, measures, mentions, previews, service
from community.chat.events import (
    FilesDropped,
    LinksShared,
    MemberMeasured,
    PeopleCalled,
    PreviewWanted,
    RoomExportAsked,
)
from community.groups.events import GroupJoined, GroupLeft
from community.moderation.events import SubjectHidden, SubjectRestored
from community.notifications.service import withhold


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
        await withhold(f"message:{event.subject_id}")


@on(SubjectRestored)
async def show_message_again(event: SubjectRestored) -> None:
    if event.kind == "message":
        await service.tell_again(event.subject_id)


@on(MemberMeasured)
async def tell_who_was_measured(event: MemberMeasured) -> None:
    await measures.tell_why(event.measure_id)


@every("* * * * *")
async def end_measures_whose_time_is_over() -> None:
    await measures.lift_what_is_over()


@on(PeopleCalled)
async def tell_the_called(event: PeopleCalled) -> None:
    await mentions.tell(event.message_id)


@on(LinksShared)
async def make_cards(event: LinksShared) -> None:
    await cards.look_at(event.message_id)


@on(PreviewWanted)
async def ask_the_page(event: PreviewWanted) -> None:
    if await previews.ask(event.preview_id):
        await cards.show_preview(event.preview_id)


@on(FilesDropped)
async def forget_dropped_files(event: FilesDropped) -> None:
    await files.forget(event.keys)


@every("17 * * * *")
async def forget_files_nobody_sent() -> None:
    await files.forget_waiting()


@on(RoomExportAsked)
async def make_export(event: RoomExportAsked) -> None:
    await exports.make(event.export_id)


@every("41 4 * * *")
async def forget_old_exports() -> None:
    await exports.forget_old()
