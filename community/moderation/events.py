from app.events import Event


class SubjectReported(Event):
    case_id: int
    kind: str
    subject_id: int


class SubjectHidden(Event):
    """Moderators took it out of sight: leave it out of counts, lists and the index."""

    kind: str
    subject_id: int
    case_id: int
    reason: str


class SubjectRestored(Event):
    kind: str
    subject_id: int
    case_id: int
    reason: str


class SubjectKept(Event):
    kind: str
    subject_id: int
    case_id: int
    reason: str
