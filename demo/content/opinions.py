"""Reviews: the hand-written ones, then others from pieces, so that no sentence comes twice under one product."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

from msgspec import Struct

from demo.content.model import Member, Product, Review
from demo.content.source import is_chinese, read
from demo.content.talk import DAY, join

HERO = "alder-trail-pack-28"
CHINESE_SHARE = {"demo": 0.24, "kettle": 0.24, "qingsui": 0.82}
KEPT_WORDS = ("I ", "I'", "M ", "SPF", "USB", "July", "Monday", "At 1", "If I", "In July")
# How many good and bad things a review of so many stars speaks of.
RECIPES = {
    5: ((1, 0), (1, 0), (2, 0)),
    4: ((1, 0), (1, 1), (1, 1), (2, 1)),
    3: ((1, 1), (0, 1), (1, 2)),
    2: ((0, 1), (0, 2), (1, 1)),
    1: ((0, 1), (0, 1), (0, 2)),
}


class Piece(Struct, frozen=True):
    aspect: str
    short: str
    sentence: str
    good: bool


def reviews(rng: Random, members: tuple[Member, ...], products: tuple[Product, ...]) -> tuple[Review, ...]:
    # Whoever owns a shop does not review what it sells.
    owners = {store["slug"]: store["owner"] for store in read("stores")["store"]}
    written = [
        review
        for product in products
        for review in _of(rng, product, tuple(m for m in members if m.handle != owners[product.store]))
    ]
    return tuple(sorted(written, key=lambda review: review.ago))


def _of(rng: Random, product: Product, members: tuple[Member, ...]) -> Iterator[Review]:
    by_hand = [source for source in read(f"reviews/{product.kind}")["review"] if source["product"] == product.slug]
    for place, source in enumerate(by_hand):
        yield _by_hand(rng, product, source, members, place)
    reviewed = {source["by"] for source in by_hand}
    wanted = 46 if product.slug == HERO else rng.choice((8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20))
    # Good and less good products exist, also in our shops.
    quality = rng.choice((-0.25, -0.1, 0.0, 0.0, 0.1, 0.2))
    shelf = _Shelf(rng, product)
    for _ in range(max(wanted - len(by_hand), 0)):
        lang = "zh" if rng.random() < CHINESE_SHARE[product.store] else "en"
        writers = [member.handle for member in members if member.lang == lang and member.handle not in reviewed]
        if not writers:
            continue
        who = rng.choice(writers)
        reviewed.add(who)
        yield _composed(rng, product, shelf, who, lang, _stars(rng, quality), members)


def _by_hand(rng: Random, product: Product, source: dict[str, Any], members: tuple[Member, ...], place: int) -> Review:
    return Review(
        product=product.slug,
        by=source["by"],
        stars=source["stars"],
        title=source["title"],
        body=source["body"],
        pros=tuple(source["pros"]),
        cons=tuple(source["cons"]),
        lang="zh" if is_chinese(source["title"] + source["body"]) else "en",
        ago=int(DAY * (2 + place * 9 + rng.uniform(0, 8))),
        bought=rng.random() < 0.85,
        helpful=_helpful(rng, source["by"], members, 3, 26),
    )


def _composed(
    rng: Random, product: Product, shelf: "_Shelf", who: str, lang: str, stars: int, members: tuple[Member, ...]
) -> Review:
    pieces = shelf.pieces(lang, stars)
    if pieces:
        title = pieces[0].short
        sentences = _turned(rng, pieces, lang, shelf.turns(lang))
        rest = pieces[1:]
    else:
        title, sentence = shelf.short(lang, stars)
        sentences, rest = [sentence], []
    if rng.random() < 0.45 and (use := shelf.use(lang)):
        sentences.insert(0, use)
    balanced = stars == 3 or all(piece.good is (stars > 3) for piece in pieces)
    if balanced and rng.random() < (1 if stars == 1 else 0.3) and (close := shelf.close(lang, stars)):
        sentences.append(close)
    body = sentences[0]
    for sentence in sentences[1:]:
        body = join(body, sentence)
    return Review(
        product=product.slug,
        by=who,
        stars=stars,
        title=title,
        body=body,
        pros=tuple(_lowered(piece.short) for piece in rest if piece.good),
        cons=tuple(_lowered(piece.short) for piece in rest if not piece.good),
        lang=lang,
        ago=int(DAY * rng.triangular(1, 170, 30)),
        bought=rng.random() < 0.68,
        helpful=_helpful(rng, who, members, 0, 5),
    )


def _turned(rng: Random, pieces: list[Piece], lang: str, turns: list[str]) -> list[str]:
    """The sentences, with a word where praise turns to blame or back."""
    sentences = [pieces[0].sentence]
    for before, piece in pairwise(pieces):
        sentence = piece.sentence
        if before.good is not piece.good and rng.random() < 0.7:
            sentence = rng.choice(turns) + (sentence if lang == "zh" else _lowered(sentence))
        sentences.append(sentence)
    return sentences


class _Shelf:
    """What may still be said about one product."""

    def __init__(self, rng: Random, product: Product) -> None:
        self._rng = rng
        self._phrases = read("phrases")
        bank = read(f"reviews/{product.kind}")
        silent = {*read("silent").get(product.drawing, ()), *read("silent").get(product.slug, ())}
        self._left = {lang: _bank(bank[lang], silent) for lang in ("en", "zh")}
        self._uses = {lang: list(bank[lang]["use"]) for lang in ("en", "zh")}
        self._closes: set[str] = set()
        self._shorts: set[str] = set()
        for line in read("details")[product.slug]:
            short, sentence = line[2:].split(" | ")
            piece = Piece(aspect=short, short=short, sentence=sentence, good=line[0] == "+")
            # What is true of this product only comes twice as often as what is true of its kind.
            self._left["zh" if is_chinese(line) else "en"].insert(0, piece)

    def pieces(self, lang: str, stars: int) -> list[Piece]:
        good, bad = self._rng.choice(RECIPES[stars])
        picked: list[Piece] = []
        first_good = stars >= 4
        for wants_good in [first_good] * (good if first_good else bad) + [not first_good] * (
            bad if first_good else good
        ):
            piece = self._take(lang, wants_good, {piece.aspect for piece in picked})
            if piece:
                picked.append(piece)
        # Five stars with nothing but blame, or the other way round, would puzzle everybody.
        return picked if any(piece.good is first_good for piece in picked) else []

    def turns(self, lang: str) -> list[str]:
        return self._phrases["turn"][lang]

    def _take(self, lang: str, good: bool, spoken: set[str]) -> Piece | None:
        fitting = [piece for piece in self._left[lang] if piece.good is good and piece.aspect not in spoken]
        if not fitting:
            return None
        own = [piece for piece in fitting if piece.aspect == piece.short]
        piece = self._rng.choice(own if own and self._rng.random() < 0.6 else fitting)
        self._left[lang].remove(piece)
        return piece

    def use(self, lang: str) -> str | None:
        if not self._uses[lang]:
            return None
        return self._uses[lang].pop(self._rng.randrange(len(self._uses[lang])))

    def close(self, lang: str, stars: int) -> str | None:
        return self._once(self._phrases["close"][lang][_level(stars)], self._closes)

    def short(self, lang: str, stars: int) -> tuple[str, str]:
        lines = self._phrases["short"][lang][_level(stars)]
        line = self._once(lines, self._shorts) or self._rng.choice(lines)
        title, _, sentence = line.partition(" | ")
        return title, sentence

    def _once(self, choice: list[str], used: set[str]) -> str | None:
        left = [line for line in choice if line not in used]
        if not left:
            return None
        line = self._rng.choice(left)
        used.add(line)
        return line


def _bank(source: dict[str, list[str]], silent: set[str]) -> list[Piece]:
    pieces = [Piece(*line.split(" | "), good=pile == "good") for pile in ("good", "bad") for line in source[pile]]
    return [piece for piece in pieces if piece.aspect not in silent]


def _level(stars: int) -> str:
    return "high" if stars >= 4 else "middle" if stars == 3 else "low"


def _stars(rng: Random, quality: float) -> int:
    weights = [5, 7, 11, 26, 51]
    drift = [-10 * quality, -12 * quality, -14 * quality, 4 * quality, 40 * quality]
    return rng.choices((1, 2, 3, 4, 5), [max(w + d, 1) for w, d in zip(weights, drift, strict=True)])[0]


def _helpful(rng: Random, by: str, members: tuple[Member, ...], least: int, most: int) -> tuple[str, ...]:
    others = [member.handle for member in members if member.handle != by]
    return tuple(rng.sample(others, rng.randint(least, most)))


def _lowered(short: str) -> str:
    return short if short.startswith(KEPT_WORDS) or is_chinese(short) else short[0].lower() + short[1:]
