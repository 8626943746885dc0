"""Runs alone, in a process of its own that may use little memory and little time: prints a poster (PNG) or card (JPEG).

Started by file name, so it imports nothing of ours but letters.py beside it. Reads a line of JSON (`Sheet` in
posters.py says what is in it), then the pictures one after the other; writes what it printed.
"""

import io
import json
import resource
import sys
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageOps

sys.path.insert(0, str(Path(__file__).parent))
from letters import Letters

MEMORY_BYTES = 700 * 1024 * 1024
CPU_SECONDS = 10
MOST_PIXELS = 25_000_000
# The strip with the face and the code.
FOOT = 320
FORMATS = ("PNG", "JPEG", "WEBP")

Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
PAPER, CARD, INK, SOFT = (250, 247, 242), (255, 254, 252), (35, 26, 34), (101, 89, 98)
GRAPE, WASH, LINE, WHITE = (109, 42, 99), (245, 233, 242), (220, 210, 200), (255, 253, 252)
# Two colours to each hue of a person or group, as on our pages.
HUES: tuple[tuple[Colour, Colour], ...] = (
    ((122, 50, 110), (72, 26, 70)), ((158, 62, 74), (94, 30, 46)), ((168, 88, 40), (104, 48, 18)),
    ((146, 110, 28), (86, 62, 10)), ((92, 120, 44), (50, 72, 20)), ((36, 112, 72), (14, 66, 44)),
    ((28, 112, 116), (10, 64, 70)), ((44, 96, 150), (20, 54, 96)), ((70, 80, 168), (38, 42, 108)),
    ((104, 66, 160), (60, 34, 104)), ((140, 60, 140), (82, 30, 86)), ((96, 84, 92), (54, 46, 52)),
)  # fmt: skip


def shut_in() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Press:
    """One sheet being printed."""

    def __init__(self, sheet: dict[str, Any], thing: bytes, face: bytes) -> None:
        self.sheet, self.thing, self.face = sheet, _opened(thing), _opened(face)
        self.width, self.height = sheet["width"], sheet["height"]
        self.letters = Letters(sheet["letters"])
        self.paper = Image.new("RGB", (self.width, self.height), PAPER)
        self.draw = ImageDraw.Draw(self.paper)
        self.margin = 56

    def print(self) -> Image.Image:
        if self.width > self.height:
            self._as_card()
        elif self.height < self.width * 1.2:
            self._as_square()
        else:
            self._as_poster()
        return self.paper

    def _as_poster(self) -> None:
        """The picture above, the words below it, who says so and the way there at the foot."""
        m, foot, sizes = self.margin, FOOT, (66, 58, 50, 44)
        lines, size = self.letters.fit(self.sheet["title"], self.width - 2 * m, sizes, 700, 3)
        words = int(len(lines) * size * 1.28) + (112 if self.sheet["price"] else 0) + 84
        box = (m, m, self.width - m, self.height - foot - words)
        self._picture(box)
        self._words((m, box[3] + 30, self.width - m, self.height - foot), sizes, 3)
        self._foot(self.height - foot)

    def _as_square(self) -> None:
        m, foot = self.margin, FOOT
        side = self.height - foot - m - 30
        self._picture((m, m, m + int(side * 0.8), m + side))
        self._words((m + int(side * 0.8) + 44, m + 30, self.width - m, m + side), (58, 50, 44, 38), 6)
        self._foot(self.height - foot)

    def _as_card(self) -> None:
        """What a chat app shows of the link: no code to scan, it is a link already."""
        m = 48
        side = self.height - 2 * m
        self._picture((m, m, m + side, m + side))
        left = m + side + 44
        self._words((left, m + 6, self.width - m, self.height - 210), (54, 48, 42, 36), 4)
        self._who(left, self.height - 172, self.width - m - left)

    def _picture(self, box: Box) -> None:
        """The thing's picture, or its own words on a colour; the label lies on it in either case."""
        size = (box[2] - box[0], box[3] - box[1])
        if self.thing:
            shown = ImageOps.fit(self.thing.convert("RGB"), size, Image.Resampling.LANCZOS)
            # A light picture would run into the paper.
            edge: Colour | None = LINE
        else:
            shown, edge = self._quote(size), None
        self.paper.paste(shown, box[:2], _rounded(size, 36))
        if edge:
            self.draw.rounded_rectangle((box[0], box[1], box[2] - 1, box[3] - 1), 36, outline=edge, width=2)
        self._label(box[0] + 26, box[1] + 26)

    def _quote(self, size: tuple[int, int]) -> Image.Image:
        top, bottom = HUES[self.sheet["hue"] % len(HUES)]
        column = Image.new("RGB", (1, 2))
        column.putpixel((0, 0), top)
        column.putpixel((0, 1), bottom)
        made = column.resize(size, Image.Resampling.BICUBIC)
        canvas, pad = ImageDraw.Draw(made), 60
        canvas.ellipse((size[0] - 260, size[1] - 300, size[0] + 160, size[1] + 120), fill=top)
        if self.sheet["quote"]:
            most = max(1, (size[1] - 230) // 66)
            lines, height = self.letters.fit(self.sheet["quote"], size[0] - 2 * pad, (58, 50, 42, 36), 500, most)
            y = (size[1] - int(len(lines) * height * 1.45)) // 2 + height + 20
            self.letters.draw(canvas, (pad - 8, y - height - 10), "“", 120, 700, WHITE)
            for number, line in enumerate(lines):
                self.letters.draw(canvas, (pad, y + number * height * 1.45), line, height, 500, WHITE)
        return made

    def _label(self, x: int, y: int) -> None:
        """#ad, 广告, Anzeige: on every sheet, whatever it shows."""
        size, pad = 34, 22
        width = int(self.letters.width(self.sheet["mark"], size, 700)) + 2 * pad
        self.draw.rounded_rectangle((x, y, x + width, y + 60), 30, fill=GRAPE, outline=WHITE, width=3)
        self.letters.draw(self.draw, (x + pad, y + 43), self.sheet["mark"], size, 700, WHITE)

    def _words(self, box: Box, sizes: tuple[int, ...], most: int) -> None:
        left, top, right, bottom = box
        with_price = 110 if self.sheet["price"] else 0
        most = max(1, min(most, int((bottom - top - with_price) / (sizes[-1] * 1.28))))
        for size in sizes:
            lines, size = self.letters.fit(self.sheet["title"], right - left, (size,), 700, most)
            if not lines or (not lines[-1].endswith("…") and len(lines) * size * 1.28 <= bottom - top - with_price):
                break
        y = float(top)
        for line in lines:
            y += size * 1.28
            self.letters.draw(self.draw, (left, y - size * 0.24), line, size, 700, INK)
        if self.sheet["price"]:
            big = 64
            while big > 36 and self.letters.width(self.sheet["price"], big, 800) > right - left:
                big -= 4
            self.letters.draw(self.draw, (left, y + 84), self.sheet["price"], big, 800, GRAPE)
            after = left + self.letters.width(self.sheet["price"], big, 800) + 24
            store, has_room = self.letters.wrap(self.sheet["store"], max(right - after, 60), 34, 400, 1)
            if has_room:
                self.letters.draw(self.draw, (after, y + 84), "".join(store), 34, 400, SOFT)

    def _foot(self, top: int) -> None:
        """On the left who shares it and that they may earn; on the right the way there."""
        m, side = self.margin, 272
        self.draw.line((m, top, self.width - m, top), fill=LINE, width=2)
        card = (self.width - m - side, top + 24, self.width - m, top + 24 + side)
        self.draw.rounded_rectangle(card, 22, fill=(255, 255, 255), outline=LINE, width=2)
        if self.sheet["qr"]:
            self._qr(card)
        else:
            self._passcode(card)
        self._who(m, top + 28, card[0] - m - 40)

    def _who(self, left: int, top: int, width: int) -> None:
        side = 92
        self._face((left, top, left + side, top + side))
        name, _whole = self.letters.wrap(self.sheet["name"], width - side - 24, 38, 700, 1)
        self.letters.draw(self.draw, (left + side + 24, top + 42), "".join(name) or self.sheet["handle"], 38, 700, INK)
        saying, _whole = self.letters.wrap(self.sheet["saying"], width - side - 24, 30, 400, 1)
        self.letters.draw(self.draw, (left + side + 24, top + 84), "".join(saying), 30, 400, SOFT)
        lines, size = self.letters.fit(self.sheet["disclosure"], width, (30, 27, 24, 21), 500, 2)
        for number, line in enumerate(lines):
            self.letters.draw(self.draw, (left, top + side + 44 + number * size * 1.35), line, size, 500, GRAPE)
        if self.height > self.width * 0.9:
            hint, _whole = self.letters.wrap(self.sheet["hint"], width, 26, 400, 2)
            for number, line in enumerate(hint):
                self.letters.draw(self.draw, (left, top + side + 122 + number * 34), line, 26, 400, SOFT)

    def _face(self, box: Box) -> None:
        size = (box[2] - box[0], box[3] - box[1])
        round_ = Image.new("L", (size[0] * 4, size[1] * 4), 0)
        ImageDraw.Draw(round_).ellipse((0, 0, size[0] * 4 - 1, size[1] * 4 - 1), fill=255)
        mask = round_.resize(size, Image.Resampling.LANCZOS)
        if self.face:
            self.paper.paste(ImageOps.fit(self.face.convert("RGB"), size, Image.Resampling.LANCZOS), box[:2], mask)
            return
        self.paper.paste(Image.new("RGB", size, HUES[self.sheet["face_hue"] % len(HUES)][0]), box[:2], mask)
        initials = self.letters.clean(self.sheet["initials"], 38, 700)
        width = self.letters.width(initials, 38, 700)
        self.letters.draw(self.draw, (box[0] + (size[0] - width) / 2, box[1] + 60), initials, 38, 700, WHITE)

    def _qr(self, card: Box) -> None:
        """Whole pixels to a module, black on white, with the quiet zone scanners want."""
        rows: list[str] = self.sheet["qr"]
        side = card[2] - card[0]
        module = max(1, (side - 8) // (len(rows) + 8))
        at = (side - module * len(rows)) // 2
        for y, row in enumerate(rows):
            for x, dark in enumerate(row):
                if dark == "1":
                    left, top = card[0] + at + x * module, card[1] + at + y * module
                    self.draw.rectangle((left, top, left + module - 1, top + module - 1), fill=(0, 0, 0))

    def _passcode(self, card: Box) -> None:
        """For places that forbid codes to scan and links: words that one can type."""
        middle, width = (card[0] + card[2]) / 2, card[2] - card[0] - 32
        texts = (
            (self.sheet["passcode_is"], 26, 400, SOFT),
            (self.sheet["passcode"], 40, 800, GRAPE),
            (self.sheet["where"], 24, 400, SOFT),
        )
        y = card[1] + 70.0
        for text, most, weight, colour in texts:
            lines, size = self.letters.fit(text, width, (most, most - 6, most - 10, 16), weight, 2)
            for line in lines:
                self.letters.draw(
                    self.draw, (middle - self.letters.width(line, size, weight) / 2, y), line, size, weight, colour
                )
                y += size * 1.3
            y += 22


def _opened(raw: bytes) -> Image.Image | None:
    """A picture of ours; one that cannot be read is as good as none."""
    if not raw:
        return None
    try:
        picture = Image.open(io.BytesIO(raw), formats=FORMATS)
        if picture.width * picture.height > MOST_PIXELS:
            return None
        picture.load()
        if picture.mode in ("RGBA", "LA", "PA", "P"):
            clear = picture.convert("RGBA")
            return Image.alpha_composite(Image.new("RGBA", clear.size, (255, 255, 255, 255)), clear)
        return picture
    except (OSError, SyntaxError, ValueError):
        return None


def _rounded(size: tuple[int, int], radius: int) -> Image.Image:
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), radius, fill=255)
    return mask


def main() -> None:
    shut_in()
    sheet = json.loads(sys.stdin.buffer.readline())
    if not sheet["mark"].strip() or not sheet["disclosure"].strip():
        sys.exit("an earning link without its label is not printed")
    pictures = [sys.stdin.buffer.read(length) for length in sheet["pictures"]]
    out = io.BytesIO()
    printed = Press(sheet, *pictures).print()
    if printed.width > printed.height:
        printed.save(out, "JPEG", quality=86, optimize=True, progressive=True)
    else:
        printed.save(out, "PNG", compress_level=6)
    sys.stdout.buffer.write(out.getvalue())


if __name__ == "__main__":
    main()
