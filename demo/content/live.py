"""Three live events: one that is on at this moment, one to be read again with its times, and one that is coming."""

from msgspec import Struct

from demo.content.talk import DAY, HOUR


class Moment(Struct, frozen=True):
    """What happened so many seconds after the beginning. `kind`: said (by the host, in writing), line, question, pin,
    answer (of the question before), poll (its answers behind `|`), vote (`words` is a place), sale (by a card)."""

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
    cohosts: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    """Products that lie on the table before it begins."""
    length: int = 0
    """0: it goes on."""
    order: str = ""
    """What the shop calls the order that its cards lead to."""
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
    order="NF-LIVE-1",
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
        Moment(330, "sale", "", product="fell-two-door-tent"),
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

ON_AIR = LiveEvent(
    title="Mend along: one torn shell, three ways",
    summary="A jacket that went through a hedge, a needle, some tape. Bring your own sad thing and mend it with us.",
    lang="en",
    host="mara",
    cohosts=("wendell",),
    group="",
    announced=3 * DAY,
    begins=19 * 60,
    reminded=("yuki", "tessa", "elspeth", "ben", "gia"),
    ready=("repair-roll",),
    order="NF-LIVE-2",
    moments=(
        Moment(8, "said", "Evening all. This is the shell that met the hedge: one long tear, two small ones."),
        Moment(25, "line", "Oh no. That is a lot of hedge.", "elspeth"),
        Moment(44, "line", "Mine is on the table, needle threaded.", "yuki"),
        Moment(70, "line", "First time here. Do I need anything special?", "gia"),
        Moment(96, "line", "@gia a needle and patience, the rest we show", "wendell"),
        Moment(130, "said", "First the roll I keep in the pack. Everything tonight comes out of it."),
        Moment(150, "sale", "", product="repair-roll"),
        Moment(170, "question", "Does tape hold on fabric that was waxed?", "ben"),
        Moment(188, "vote-question", "Does tape hold on fabric that was waxed?", "gia"),
        Moment(201, "vote-question", "Does tape hold on fabric that was waxed?", "tessa"),
        Moment(240, "pin", "Round the corners, or it lifts", product="seam-tape"),
        Moment(
            262, "said",
            "Small tears: tape on the inside, corners rounded, pressed for a minute with the back of a spoon. "
            "Clean it first or it peels by the weekend.",
        ),
        Moment(330, "line", "The spoon trick! Ten years I used my thumb.", "tessa"),
        Moment(
            390, "said",
            "Waxed cotton, no: nothing sticks to wax. There you sew, and wax over the stitches afterwards.",
        ),
        Moment(402, "answer", "Does tape hold on fabric that was waxed?"),
        Moment(455, "pin", "Over the stitches, with a hair dryer", product="wax-bar"),
        Moment(520, "line", "Can confirm, did the pannier like that.", "gareth"),
        Moment(590, "question", "How do you stop a tear that is still growing?", "gia"),
        Moment(640, "pin", "For anything knitted: this and an hour", by="wendell", product="darning-kit"),
        Moment(660, "line", "The long tear is mine now. Watch the thread, not the needle.", "wendell"),
        Moment(720, "line", "You make it look easy", "elspeth"),
        Moment(770, "vote-question", "How do you stop a tear that is still growing?", "ben"),
        Moment(790, "vote-question", "How do you stop a tear that is still growing?", "yuki"),
        Moment(812, "vote-question", "How do you stop a tear that is still growing?", "tessa"),
        Moment(860, "question", "Does the darning kit come with a needle for thin fabric?", "yuki"),
        Moment(905, "said", "Wendell is backstitching the long one; count four to a centimetre and it will not creep."),
        Moment(960, "poll", "What shall we mend next?|A zip that splits|A heel with a hole|A tent pole sleeve"),
        Moment(972, "vote", "1", "ben"), Moment(979, "vote", "1", "gia"), Moment(985, "vote", "2", "yuki"),
        Moment(991, "vote", "2", "tessa"), Moment(1002, "vote", "1", "elspeth"),
        Moment(1015, "line", "Zip! Please the zip.", "gia"),
        Moment(1040, "pin", "What all this is for; it lived", product="mist-shell"),
        Moment(1060, "line", "Heels have dignity too", "yuki"),
        Moment(1085, "line", "Two more votes and I fetch the sock", "wendell"),
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
