import msgspec


class PosterView(msgspec.Struct):
    shape: str
    width: int
    height: int
    url: str


class ShareText(msgspec.Struct):
    channel: str
    text: str
    """Ready to paste: the label first, within the channel's limit."""
    shape: str
    """The poster that fits the channel."""
    intent: str
    """An address that opens the channel with the text in it; empty where there is none."""


class KitView(msgspec.Struct):
    url: str
    greeting_url: str
    """A page that greets whoever comes, with what they get."""
    label: str
    """What stands beside the link wherever it is shown."""
    disclosure: str
    lang: str
    market: str
    posters: list[PosterView]
    texts: list[ShareText]
