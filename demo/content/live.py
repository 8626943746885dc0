"""Two live events: one that was held a few days ago, to be read again with its times, and one that is coming."""

from msgspec import Struct

from demo.content.talk import DAY, HOUR


class Moment(Struct, frozen=True):
    """What happened so many seconds after the beginning. `kind`: said (by the host, in writing), line, question, pin,
    answer (of the question before), poll (its answers behind `|`), vote (`words` is a place)."""

    at: int
    kind: str
    words: str
    by: str = ""
    product: str = ""


class LiveEvent(Struct, frozen=True):
    title: str
    summary: str
    lang: str
    host: str
    group: str
    announced: int
    begins: int
    """How long ago; what is negative lies ahead."""
    reminded: tuple[str, ...]
    ready: tuple[str, ...] = ()
    """Products that lie on the table before it begins."""
    length: int = 0
    moments: tuple[Moment, ...] = ()


HELD = LiveEvent(
    title="A dry night: what goes under, over and inside",
    summary="Three wet nights last month, two that were fun. I unpack what made the difference and take what you ask.",
    lang="en",
    host="kirsten",
    group="",
    announced=9 * DAY,
    begins=6 * DAY + 2 * HOUR,
    reminded=("ben", "lottie", "marcus"),
    ready=("fell-two-door-tent",),
    length=1560,
    moments=(
        Moment(6, "said", "Good evening from a kitchen floor full of wet nylon. I will go from the ground up."),
        Moment(40, "line", "Evening! Kettle is on.", "ben"),
        Moment(75, "line", "Watching from the bus", "lottie"),
        Moment(120, "pin", "2.1 kg with everything; the porches are why", product="fell-two-door-tent"),
        Moment(
            150, "said",
            "The tent first. Two doors means the wet person goes out without climbing over the dry one. It "
            "pitches outer first, so the inside stays dry while you put it up in rain. That alone saved the "
            "second night.",
        ),
        Moment(260, "question", "Does the floor need a groundsheet on gravel?", "marcus"),
        Moment(300, "vote-question", "Does the floor need a groundsheet on gravel?", "lottie"),
        Moment(330, "question", "How does it do in wind from the side?", "lottie"),
        Moment(
            390, "said",
            "On gravel, yes: a cut piece of builder's film, thirty grams. On grass I stopped "
            "bringing one two years ago.",
        ),
        Moment(410, "answer", "Does the floor need a groundsheet on gravel?"),
        Moment(560, "line", "Builder's film! Noted.", "ben"),
        Moment(640, "pin", "Over the porch, or alone in summer", product="tarp-three-by-three"),
        Moment(
            670, "said",
            "The tarp is the piece people leave at home. Over the porch it gives you a dry room to cook in, and "
            "on warm nights it is all I take. Nineteen tie points sounds like a joke until the wind turns.",
        ),
        Moment(820, "poll", "What keeps you from sleeping out in rain?|Getting up wet|The noise|Packing it away"),
        Moment(850, "vote", "1", "ben"), Moment(858, "vote", "3", "lottie"), Moment(871, "vote", "1", "marcus"),
        Moment(
            1010, "said",
            "Side wind: peg the two corners on that side twice and keep the door closed there. It leans, it "
            "does not fold.",
        ),
        Moment(1030, "answer", "How does it do in wind from the side?"),
        Moment(1180, "pin", "The one thing I would replace tomorrow", product="mist-shell"),
        Moment(
            1210, "said",
            "And the shell. Wash it, or it stops working; most jackets that fail are only dirty. This one has "
            "pit zips, which matters more than the number on the label.",
        ),
        Moment(1330, "line", "Washing mine tonight then", "marcus"),
        Moment(1500, "said", "Thank you all. The times are in the replay, so you need not listen to the middle."),
    ),
)  # fmt: skip

COMING = LiveEvent(
    title="周末露营：帐篷现场搭给你看",
    summary="在公园里搭三种帐篷，风大也搭。有问题现在就可以先问。",
    lang="zh",
    host="linwei",
    group="",
    announced=2 * DAY,
    begins=-2 * DAY - 3 * HOUR,
    reminded=("qiuqiu", "haoran", "dapeng", "ben"),
    ready=("fell-two-door-tent", "tarp-three-by-three"),
    moments=(
        Moment(0, "question", "新手一个人搭得起来吗？", "qiuqiu"),
        Moment(0, "question", "草地太硬，地钉打不进去怎么办？", "haoran"),
        Moment(0, "line", "占个位置", "dapeng"),
    ),
)
# How many the shop has left: enough of most, little of some.
STOCK = {"fell-two-door-tent": 6, "tarp-three-by-three": 40, "mist-shell": 3, "rain-cape": 0}
