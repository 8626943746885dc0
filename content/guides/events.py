from app.events import Event


class GuidePublished(Event):
    guide_id: int


class GuideChanged(Event):
    guide_id: int
