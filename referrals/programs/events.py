from app.events import Event


class ProgramPublished(Event):
    """A store's programme has a new version in force."""

    store_id: int
    program_version_id: int
