from app.events import Event


class MemberBlocked(Event):
    member_id: int
    blocked_id: int


class MemberUnblocked(Event):
    member_id: int
    blocked_id: int
