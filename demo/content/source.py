"""Reads the hand-written text files."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

TEXT = Path(__file__).parent / "text"

# Groups appear in this order.
GROUPS = (
    "weekend-hikers",
    "tea-at-home",
    "coffee-slowly",
    "small-kitchens",
    "night-shift-runners",
    "camping-stars",
    "mending-and-repair",
    "skincare-labels",
    "balcony-garden",
    "rented-kitchen",
    "bike-commuting",
    "toddler-years",
    "city-walks",
    "board-game-table",
)


@cache
def read(name: str) -> dict[str, Any]:
    return tomllib.loads((TEXT / f"{name}.toml").read_text("utf-8"))


def is_chinese(text: str) -> bool:
    """Whether most of what it says is Chinese: a name or a word in the other script does not count."""
    return sum("\u4e00" <= letter <= "\u9fff" for letter in text) * 3 > len(text.replace(" ", ""))


def split_line(line: str) -> tuple[str, str]:
    """ "mara: Yes." -> ("mara", "Yes.")"""
    who, _, words = line.partition(": ")
    return who, words
