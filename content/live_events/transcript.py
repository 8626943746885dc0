"""Subtitles as people have them: WebVTT, SRT, or lines that begin with a time. Several cues become one paragraph."""

import re
from html import unescape

_CUE = re.compile(r"((?:\d{1,3}:)?\d{1,2}:\d{2})[.,]\d{1,3}\s*-->")
_TYPED = re.compile(r"[\[(]?((?:\d{1,2}:)?\d{1,2}:\d{2})[\])]?[\s:–—-]+(\S.*)")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d{2}:[\d:.]{1,20}>|\{\\[^{}]{1,40}\}")
# A cue is a breath long. So many seconds of them are a thought.
PARAGRAPH = 20


def lines_of(text: str) -> list[tuple[int, str]]:
    """(seconds, words) in their order; empty when there is no time in it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _paragraphs(_cues(text)) if _CUE.search(text) else _typed(text)


def clock_of(seconds: int) -> str:
    """724 as 12:04."""
    hours, rest = divmod(max(0, seconds), 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _cues(text: str) -> list[tuple[int, str]]:
    cues = []
    for block in re.split(r"\n[ \t]*\n", text):
        lines = [line.strip() for line in block.strip().split("\n")]
        at = next((n for n, line in enumerate(lines) if _CUE.match(line)), None)
        if at is None:
            continue
        words = unescape(_TAG.sub("", " ".join(lines[at + 1 :]))).strip()
        if words:
            cues.append((_seconds(_CUE.match(lines[at])[1]), words))  # type: ignore[index]
    return sorted(cues, key=lambda cue: cue[0])


def _paragraphs(cues: list[tuple[int, str]]) -> list[tuple[int, str]]:
    paragraphs: list[tuple[int, str]] = []
    for at, words in cues:
        if paragraphs and at - paragraphs[-1][0] < PARAGRAPH and len(paragraphs[-1][1]) < 1000:
            begun, so_far = paragraphs[-1]
            # Rolling subtitles say a line again while the next one comes.
            if not so_far.endswith(words):
                paragraphs[-1] = (begun, f"{so_far} {words}")
        else:
            paragraphs.append((at, words))
    return paragraphs


def _typed(text: str) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for line in text.split("\n"):
        if match := _TYPED.match(line.strip()):
            found.append((_seconds(match[1]), match[2]))
        elif found and line.strip():
            at, words = found[-1]
            found[-1] = (at, f"{words} {line.strip()}")
    return sorted(found, key=lambda line: line[0])


def _seconds(clock: str) -> int:
    seconds = 0
    for part in clock.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds
