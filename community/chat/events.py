from app.events import Event


class DirectSaid(Event):
    """Somebody said something to few: the others are told when they do not see it. Group rooms announce nothing."""

    room_id: int
    author_id: int
    seq: int


class PeopleCalled(Event):
    """A message was said or changed that answers somebody, or may name some."""

    message_id: int


class LinksShared(Event):
    """A message was said or changed that holds, or held, links."""

    message_id: int


class PreviewWanted(Event):
    """Nobody has asked this page what it says about itself, or not for long."""

    preview_id: int


class FilesDropped(Event):
    """Files whose message is gone: their bytes may go, too."""

    keys: list[str]


class RoomExportAsked(Event):
    export_id: int


class RoleLost(Event):
    """Somebody who ran a room by a role of their own there, such as its host, runs it no longer."""

    room_id: int
    member_id: int


class MemberMeasured(Event):
    """Somebody was shown out of a room, banned or silenced there: they are told why."""

    room_id: int
    measure_id: int
