"""Groups, threads and chats: first what was written by hand, then pieces put together, never twice in a thread."""

from random import Random
from typing import Any

from demo.content.model import Group, Line, Member, Post, Reaction, Topic
from demo.content.source import GROUPS, is_chinese, read, split_line

MINUTE, HOUR, DAY = 60, 3600, 86400
EMOJI = ("👍", "❤️", "😂", "🎉", "🍇")
WEIGHTS = (50, 22, 14, 7, 7)


def groups(rng: Random, members: tuple[Member, ...]) -> tuple[Group, ...]:
    return tuple(_group(rng, _source(slug), members, place) for place, slug in enumerate(GROUPS))


def _source(slug: str) -> dict[str, Any]:
    """A group's own file, and its older threads."""
    older = [topic for topic in read("more-topics")["topic"] if topic["group"] == slug]
    own = read(f"groups/{slug}")
    return {**own, "topic": [*own["topic"], *older]}


def _group(rng: Random, source: dict[str, Any], members: tuple[Member, ...], place: int) -> Group:
    about = source["group"]
    voices = _Voices(rng, source, members)
    topics = tuple(
        _topic(rng, topic, about["lang"], voices, order, place) for order, topic in enumerate(source["topic"])
    )
    chat = _chat(rng, source["chat"]["lines"], place)
    # All who ever spoke here have joined; some only read.
    spoke = {post.by for topic in topics for post in topic.posts} | {line.by for line in chat} | {about["owner"]}
    readers = {member.handle for member in members if rng.random() < (0.3 if member.lang == about["lang"] else 0.06)}
    joined = tuple(member.handle for member in members if member.handle in spoke | readers)
    return Group(
        slug=about["slug"],
        name=about["name"],
        lang=about["lang"],
        description=about["description"],
        owner=about["owner"],
        ago=DAY * rng.randint(380, 460),
        members=joined,
        topics=topics,
        chat=chat,
    )


class _Voices:
    """Who speaks in a group, and its bank of sentences, dealt like cards: all are used before one comes again."""

    def __init__(self, rng: Random, source: dict[str, Any], members: tuple[Member, ...]) -> None:
        self._rng = rng
        self._bank = source["bank"]
        self._decks: dict[str, list[str]] = {}
        self._people = {lang: [m.handle for m in members if m.lang == lang] for lang in ("en", "zh")}
        spoken = [split_line(line)[0] for topic in source["topic"] for line in topic["say"]]
        self._regulars = {lang: [who for who in spoken if who in people] for lang, people in self._people.items()}

    def deal(self, pile: str, used: set[str]) -> str:
        """The next sentence of a pile that this thread has not heard yet."""
        deck = self._decks.setdefault(pile, [])
        if not deck:
            deck.extend(self._rng.sample(self._bank[pile], len(self._bank[pile])))
        fresh = next((sentence for sentence in deck if sentence not in used), None)
        if fresh is None:
            return next(sentence for sentence in self._bank[pile] if sentence not in used)
        deck.remove(fresh)
        return fresh

    def everyone_but(self, who: str) -> list[str]:
        return [other for people in self._people.values() for other in people if other != who]

    def someone(self, lang: str, recent: list[str]) -> str:
        """A regular more often than not, and never one of the last few to speak."""
        regulars = self._regulars[lang]
        pool = regulars if regulars and self._rng.random() < 0.6 else self._people[lang]
        choice = [who for who in pool if who not in recent[-4:]] or self._people[lang]
        return self._rng.choice(choice)


def _topic(rng: Random, source: dict[str, Any], lang: str, voices: _Voices, order: int, place: int) -> Topic:
    topic_lang = source.get("lang", lang)
    opened = _opened(rng, order, place)
    written = [(source["by"], source["body"].strip()), *_thread(rng, source, topic_lang == lang, voices)]
    posts, at = [], opened
    for number, (by, body) in enumerate(written, 1):
        if number > 1:
            at = _next_time(rng, at, left=len(written) - number + 1)
        likes = _reactions(rng, by, number, voices)
        posts.append(Post(by=by, body=body, ago=at, reactions=likes, reply_to=_answers(body, written, number)))
    return Topic(kind=source["kind"], title=source["title"], lang=topic_lang, posts=tuple(posts))


def _thread(rng: Random, source: dict[str, Any], native: bool, voices: _Voices) -> list[tuple[str, str]]:
    """The replies: those written by hand lead, and the opener's last word waits for some advice."""
    said = [split_line(line) for line in source["say"]]
    verdict = [said.pop()] if len(said) > 1 and said[-1][0] == source["by"] else []
    recent = [source["by"], *(who for who, _ in said)]
    used: set[str] = set()
    advice = []
    for thought in rng.sample(source["more"], len(source["more"])):
        lang = "zh" if is_chinese(thought) else "en"
        who = voices.someone(lang, recent)
        recent.append(who)
        if native and source["kind"] != "event" and rng.random() < 0.3:
            tail = voices.deal("close" if rng.random() < 0.5 else "tell", used)
            used.add(tail)
            thought = join(thought, tail)
        advice.append((who, thought))
    if native and source["kind"] != "event":
        for _ in range(rng.choice((1, 2, 2, 3, 3, 4))):
            who = voices.someone("zh" if is_chinese(source["title"]) else "en", recent)
            recent.append(who)
            advice.append((who, _composed(rng, source["about"], voices, used)))
    return [*said, *advice[:2], *verdict, *advice[2:]]


def _composed(rng: Random, about: str, voices: _Voices, used: set[str]) -> str:
    opening, tell = voices.deal("open", used), voices.deal("tell", used)
    used |= {opening, tell}
    text = join(opening.replace("{about}", about), tell)
    if rng.random() < 0.35:
        close = voices.deal("close", used)
        used.add(close)
        text = join(text, close)
    return text[0].upper() + text[1:]


def join(first: str, second: str) -> str:
    """Two sentences: Chinese wants no space between them."""
    return first + second if is_chinese(first) and is_chinese(second) else f"{first} {second}"


def _opened(rng: Random, order: int, place: int) -> int:
    """Topics listed first are the freshest; each group has one from today or yesterday."""
    if order == 0:
        return rng.randint(7, 30) * HOUR + place * 17 * MINUTE
    return int(DAY * (order * 4.2 + rng.uniform(0, 4)))


def _next_time(rng: Random, at: int, left: int) -> int:
    """The next reply: soon at first, with long pauses now and then, always before now."""
    step = rng.choice((0.02, 0.05, 0.1, 0.25, 0.6)) * DAY * rng.uniform(0.5, 1.5)
    return max(int(at - min(step, at * 0.8 / left)), MINUTE)


def _answers(body: str, written: list[tuple[str, str]], number: int) -> int | None:
    """A post that begins with @somebody answers that person's last post."""
    if not body.startswith("@"):
        return None
    who = body[1:].split(" ", 1)[0].rstrip(",:")
    for earlier in range(number - 1, 0, -1):
        if written[earlier - 1][0] == who:
            return earlier
    return None


def _reactions(rng: Random, by: str, number: int, voices: _Voices) -> tuple[Reaction, ...]:
    most = 9 if number == 1 else 6 if number <= 4 else 2
    wanted = min(rng.randint(0, most), rng.randint(0, most))
    people = rng.sample(voices.everyone_but(by), wanted)
    return tuple(Reaction(by=who, emoji=rng.choices(EMOJI, WEIGHTS)[0]) for who in people)


def _chat(rng: Random, lines: list[str], place: int) -> tuple[Line, ...]:
    """The room of the last days: bursts with silence between them, the last words minutes or hours ago."""
    at = rng.randint(4, 50) * MINUTE + place * 7 * MINUTE
    told = []
    for line in reversed(lines):
        who, words = split_line(line)
        told.append(Line(by=who, body=words, ago=at))
        at += rng.choice((25, 40, 55, 90, 150, 300, 600)) + (rng.randint(3, 9) * HOUR if rng.random() < 0.18 else 0)
    return tuple(reversed(told))
