from app.events import Event


class TopicOpened(Event):
    topic_id: int
    group_id: int
    post_id: int


class TopicRetitled(Event):
    topic_id: int


class PostWritten(Event):
    """A reply, or (number 1) the first post of a topic."""

    post_id: int
    topic_id: int
    group_id: int
    number: int


class PostEdited(Event):
    post_id: int
    topic_id: int
    number: int


class PostReacted(Event):
    post_id: int
    member_id: int
    emoji: str
