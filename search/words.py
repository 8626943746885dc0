"""Words of English and Chinese text, for the index and for the question, cut the same way on both sides.

Latin words are kept as written (lower case, without accents) and as a light stem. Chinese is kept as the words jieba
finds and as every two neighbouring signs, so that a question finds its words however the sentence was cut.
"""

import re
import unicodedata
from collections.abc import Iterator

import msgspec
import rjieba

LONGEST_WORD = 64
MOST_WORDS = 12
LAST_POSITION = 16_383
MOST_PLACES = 200

_CJK = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_APOSTROPHE = re.compile(r"(?<=\w)['’](?=\w)")
_IS_CJK = re.compile(f"[{_CJK}]")
# Words that ask rather than tell: a question of other words does without them.
LITTLE = frozenset(
    "a an and are as at be but by can do does for from has have how i if in is it its me my not of on or so that the "
    "their there they this to was we what when which who why will with you your "
    "的 了 是 吗 呢 吧 我 你 有 在 和 也 就 都 怎么 怎么样 怎样 如何 什么 哪个 哪些".split()
)


class Term(msgspec.Struct, frozen=True):
    """One word of a question: `word` as asked; `any_of` stands in the index (each all of its parts); `marks` is what
    to highlight."""

    word: str
    any_of: tuple[tuple[str, ...], ...]
    marks: str
    is_latin: bool


def folded(text: str) -> str:
    """Lower case, full-width signs as usual ones, accents gone, "don't" one word."""
    parts = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", text.casefold()))
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def tsvector(title: str, body: str) -> str:
    """The text's words as PostgreSQL reads a tsvector: words of the title weigh A, others C, mere stems D."""
    places: dict[str, list[str]] = {}
    end = 0
    for text, weight in ((title, "A"), (body, "C")):
        for position, word, is_stem in _placed(text, after=end):
            end = position
            at = places.setdefault(word, [])
            if len(at) < MOST_PLACES:
                at.append(f"{min(position, LAST_POSITION)}{'D' if is_stem else weight}")
    return " ".join(f"'{word}':{','.join(at)}" for word, at in places.items())


def terms(question: str) -> list[Term]:
    """What a question asks for, little words left out unless there are no others."""
    found = [(run, bool(_IS_CJK.match(run))) for run in _RUN.findall(folded(question))]
    words = [(word, is_cjk) for run, is_cjk in found for word in (_words_of(run) if is_cjk else [run[:LONGEST_WORD]])]
    telling = [(word, is_cjk) for word, is_cjk in words if word not in LITTLE] or words
    telling = list(dict.fromkeys(telling))[:MOST_WORDS]
    return [_term(word, is_cjk, is_last=at == len(telling) - 1) for at, (word, is_cjk) in enumerate(telling)]


def tsquery(asked: list[Term], *, joined: str = "&") -> str:
    """The terms as PostgreSQL reads a tsquery. Every word is letters and digits only, so quoting it is enough."""
    return f" {joined} ".join(
        "(" + " | ".join("(" + " & ".join(_quoted(part) for part in parts) + ")" for parts in term.any_of) + ")"
        for term in asked
    )


def tsquery_of_best(asked: list[Term]) -> str:
    """What to rank by: the very words, then their stems. Half a word finds, but must not outweigh a whole one."""
    return " | ".join(_quoted(part) for term in asked for part in dict.fromkeys((term.word, term.marks)))


def stem(word: str) -> str:
    """What tents and tent, hiking and hiked have in common. Rough on purpose: both sides are cut alike."""
    if not word.isascii() or not word.isalpha() or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith(("sses", "xes", "ches", "shes", "zes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending, shortest in (("ing", 6), ("ed", 5)):
        if word.endswith(ending) and len(word) >= shortest:
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def _placed(text: str, *, after: int) -> Iterator[tuple[int, str, bool]]:
    position = after
    for run in _RUN.findall(folded(text)):
        if _IS_CJK.match(run):
            position += 1
            for word in {*rjieba.cut_for_search(run), *_pairs(run)}:
                if len(word) <= LONGEST_WORD:
                    yield position, word, False
        else:
            position += 1
            word = run[:LONGEST_WORD]
            yield position, word, False
            if (root := stem(word)) != word:
                yield position, root, True


def _words_of(run: str) -> list[str]:
    return [word[:LONGEST_WORD] for word in rjieba.cut(run) if word.strip()]


def _term(word: str, is_cjk: bool, *, is_last: bool) -> Term:
    if is_cjk:
        if len(word) == 1:
            any_of: tuple[tuple[str, ...], ...] = ((f"{word}:*",),)
        elif len(word) == 2:
            any_of = ((word,),)
        else:
            any_of = ((word,), tuple(_pairs(word)))
        return Term(word, any_of, word, False)
    # The last word may be half typed.
    root = stem(word)
    any_of = ((root,), (f"{word}:*",)) if is_last and len(word) > 1 else ((root,),)
    return Term(word, any_of, root if len(root) > 2 else word, True)


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]


def _quoted(part: str) -> str:
    word, star, _ = part.partition(":*")
    return f"'{word}'{':*' if star else ''}"
