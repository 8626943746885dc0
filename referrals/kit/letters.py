"""Words on a picture: which font has a sign, where a line may break, what fits. Used by press.py alone.

The letters come as a hundred small files of one family, each with some of the signs, so a line of mixed text is drawn
run by run. A sign that no file has (an emoji, a rare script) is left out rather than drawn as a box.
"""

import json
import re
from functools import lru_cache
from pathlib import Path

from PIL import ImageDraw, ImageFont

NAMED_SLICES = ("latin", "latin-ext", "cyrillic", "vietnamese")
# Debian's fonts, for a house whose front end was not built. The number is the face within the file: Simplified Chinese.
SYSTEM = (
    ("/usr/share/fonts/opentype/noto/NotoSansCJK-{}.ttc", ("Regular", "Bold"), 2),
    ("/usr/share/fonts/truetype/dejavu/DejaVuSans{}.ttf", ("", "-Bold"), 0),
)
BOLD = 600

# Colour pictures, and the invisible signs that join and vary them.
_EMOJI = re.compile("[\U0001f000-\U0001faff\ufe00-\ufe0f\u200b-\u200d\u20e3\U000e0000-\U000e007f]")
_CJK = (
    "\u1100-\u11ff\u2e80-\u2fff\u3003-\u3007\u3012-\u303f\u3040-\u30ff\u3100-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff10-\uffef"
)
_OPENS, _CLOSES = "“‘（《「『【〈〔([{", "”’）》」』】〉〕)]}，。！？：；、…·％,.!?:;%\uff0c\uff0e"
# What stays together: a word, or one Chinese sign, with the punctuation that may neither begin nor end a line.
_PIECE = re.compile(
    rf"[{re.escape(_OPENS)}]*(?:[{_CJK}]|[^\s{_CJK}{re.escape(_OPENS)}]+)?[{re.escape(_CLOSES)}]*\s*|\S", re.S
)
_NOWHERE = "\U0010ffff"

Font = ImageFont.FreeTypeFont


class Letters:
    """The fonts of one house, in any size and weight."""

    def __init__(self, folder: str) -> None:
        self._slices = _slices(Path(folder))

    def clean(self, text: str, size: int, weight: int) -> str:
        """The text without the signs nobody here can draw."""
        kept = "".join(
            sign if sign.isspace() or self._font_of(sign, size, weight) else ""
            for sign in _EMOJI.sub("", " ".join(text.split()))
        )
        return " ".join(kept.split())

    def width(self, text: str, size: int, weight: int) -> float:
        return sum(font.getlength(run) for run, font in self._runs(text, size, weight))

    def draw(
        self,
        canvas: ImageDraw.ImageDraw,
        at: tuple[float, float],
        text: str,
        size: int,
        weight: int,
        fill: tuple[int, int, int],
    ) -> None:
        """One line; `at` is where its baseline begins."""
        x, y = at
        for run, font in self._runs(text, size, weight):
            canvas.text((x, y), run, font=font, fill=fill, anchor="ls")
            x += font.getlength(run)

    def wrap(self, text: str, width: float, size: int, weight: int, most: int) -> tuple[list[str], bool]:
        """The text in at most so many lines, and whether all of it found room."""
        lines = [""]
        for piece in self._pieces(self.clean(text, size, weight), width, size, weight):
            if lines[-1] and self.width((lines[-1] + piece).rstrip(), size, weight) > width:
                lines.append("")
            lines[-1] += piece
        lines = [line.strip() for line in lines if line.strip()]
        if len(lines) <= most:
            return lines, True
        last = lines[most - 1]
        while last and self.width(last + "…", size, weight) > width:
            last = last[:-1]
        return [*lines[: most - 1], last.rstrip(" ，。、,.") + "…"], False

    def fit(self, text: str, width: float, sizes: tuple[int, ...], weight: int, most: int) -> tuple[list[str], int]:
        """The lines in the largest of the sizes in which all of it finds room; else in the smallest, cut."""
        for size in sizes:
            lines, is_whole = self.wrap(text, width, size, weight, most)
            if is_whole:
                break
        return lines, size

    def _pieces(self, text: str, width: float, size: int, weight: int) -> list[str]:
        """What stays together, and a word longer than a line by its signs."""
        found: list[str] = []
        for piece in _PIECE.findall(text):
            found += [piece] if self.width(piece.rstrip(), size, weight) <= width else list(piece)
        return found

    def _runs(self, text: str, size: int, weight: int) -> list[tuple[str, Font]]:
        runs: list[tuple[str, Font]] = []
        for sign in text:
            font = self._font_of(sign, size, weight) or (runs[-1][1] if runs else None)
            if font is None:
                continue
            if runs and runs[-1][1] is font:
                runs[-1] = (runs[-1][0] + sign, font)
            else:
                runs.append((sign, font))
        return runs

    def _font_of(self, sign: str, size: int, weight: int) -> Font | None:
        if file := self._slices.get(ord(sign)):
            font = _load(file, size, weight, 0)
            if _has(font, sign):
                return font
        for pattern, styles, face in SYSTEM:
            path = pattern.format(styles[weight >= BOLD])
            if Path(path).is_file() and _has(font := _load(path, size, 0, face), sign):
                return font
        # Pillow's own letters: Latin only, but always there.
        own = _own(size)
        return own if sign.isascii() and sign.isprintable() else None


@lru_cache(maxsize=1)
def _slices(folder: Path) -> dict[int, str]:
    """Which file has a sign, by its number. Named slices go first, so that Latin text is one run."""
    if not (folder / "unicode.json").is_file():
        return {}
    ranges: dict[str, str] = json.loads((folder / "unicode.json").read_text())
    names = sorted(
        ranges, key=lambda name: (name not in NAMED_SLICES, NAMED_SLICES.index(name) if name in NAMED_SLICES else 0)
    )
    known: dict[int, str] = {}
    for name in names:
        file = str(folder / f"noto-sans-sc-{name.strip('[]')}-wght-normal.woff2")
        for part in ranges[name].split(","):
            first, _, last = part.strip().removeprefix("U+").removeprefix("u+").partition("-")
            for number in range(int(first, 16), int(last or first, 16) + 1):
                known.setdefault(number, file)
    return known


@lru_cache(maxsize=512)
def _load(file: str, size: int, weight: int, face: int) -> Font:
    font = ImageFont.truetype(file, size, index=face, layout_engine=ImageFont.Layout.BASIC)
    if weight:
        font.set_variation_by_axes([weight])
    return font


@lru_cache(maxsize=64)
def _own(size: int) -> Font:
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


@lru_cache(maxsize=4096)
def _has(font: Font, sign: str) -> bool:
    """Whether a font has a sign: what it lacks it draws like any other thing it lacks."""
    if sign.isspace():
        return True
    shown, missing = font.getmask(sign), _missing(font)
    return (shown.size, bytes(shown)) != missing and any(shown.size)


@lru_cache(maxsize=512)
def _missing(font: Font) -> tuple[tuple[int, int], bytes]:
    box = font.getmask(_NOWHERE)
    return box.size, bytes(box)
