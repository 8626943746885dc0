import msgspec


class UploadView(msgspec.Struct):
    """A picture as it is kept now. `url` never changes its content."""

    id: str
    url: str
    width: int
    height: int
