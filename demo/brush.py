"""A small drawing board: shapes in a field of 100 by 100, drawn large and brought down smoothly."""

from colorsys import hls_to_rgb
from io import BytesIO

from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Points = list[tuple[float, float]]
OVERSAMPLING = 2


def colour(hue: float, light: float, strength: float = 0.45) -> Colour:
    """A colour by hue (0-360), lightness and strength (0-1)."""
    red, green, blue = hls_to_rgb((hue % 360) / 360, light, strength)
    return round(red * 255), round(green * 255), round(blue * 255)


class Board:
    """A picture being drawn, with the colours of its hue: `main`, darker and lighter ones, and an accent."""

    def __init__(self, hue: int, size: int) -> None:
        self.hue = hue
        self._size = size
        self._scale = size * OVERSAMPLING / 100
        self.main = colour(hue, 0.48, 0.42)
        self.dark = colour(hue, 0.34, 0.44)
        self.deep = colour(hue, 0.22, 0.40)
        self.light = colour(hue, 0.66, 0.45)
        self.pale = colour(hue, 0.82, 0.45)
        self.accent = colour(hue + 165, 0.58, 0.62)
        self.wood = colour(30, 0.58, 0.42)
        self.bark = colour(28, 0.40, 0.40)
        self.steel = colour(210, 0.74, 0.10)
        self.iron = colour(212, 0.38, 0.12)
        self.flame = colour(36, 0.56, 0.88)
        self.cream = colour(42, 0.93, 0.55)
        self.picture = self._background()
        self._draw = ImageDraw.Draw(self.picture)

    def _background(self) -> Image.Image:
        """Paper with a breath of the colour, and a soft disc behind the thing."""
        side = self._size * OVERSAMPLING
        column = Image.new("RGB", (1, 64))
        for y in range(64):
            column.putpixel((0, y), colour(self.hue + 12, 0.955 - 0.075 * y / 63, 0.42))
        paper = column.resize((side, side), Image.Resampling.BICUBIC)
        ImageDraw.Draw(paper).ellipse([side * 0.12, side * 0.1, side * 0.88, side * 0.86], colour(self.hue, 0.9, 0.5))
        return paper

    def shadow(self, left: float, right: float, bottom: float) -> None:
        """A soft shadow on the ground."""
        side = 160
        mask = Image.new("L", (side, side), 0)
        s = side / 100
        ImageDraw.Draw(mask).ellipse([left * s, (bottom - 3.2) * s, right * s, (bottom + 3.2) * s], 110)
        mask = mask.filter(ImageFilter.GaussianBlur(2.6)).resize(self.picture.size, Image.Resampling.BICUBIC)
        self.picture.paste(self.deep, mask=mask)
        self._draw = ImageDraw.Draw(self.picture)

    def box(self, x0: float, y0: float, x1: float, y1: float, fill: Colour, r: float = 0) -> None:
        s = self._scale
        self._draw.rounded_rectangle([x0 * s, y0 * s, x1 * s, y1 * s], r * s, fill)

    def oval(self, x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        s = self._scale
        self._draw.ellipse([x0 * s, y0 * s, x1 * s, y1 * s], fill)

    def ring(self, x0: float, y0: float, x1: float, y1: float, line: Colour, width: float) -> None:
        s = self._scale
        self._draw.ellipse([x0 * s, y0 * s, x1 * s, y1 * s], outline=line, width=round(width * s))

    def shape(self, points: Points, fill: Colour) -> None:
        s = self._scale
        self._draw.polygon([(x * s, y * s) for x, y in points], fill)

    def line(self, points: Points, fill: Colour, width: float) -> None:
        """A stroke with round ends and joints."""
        s, half = self._scale, width / 2
        self._draw.line([(x * s, y * s) for x, y in points], fill, round(width * s), joint="curve")
        for x, y in (points[0], points[-1]):
            self.oval(x - half, y - half, x + half, y + half, fill)

    def arc(
        self, x0: float, y0: float, x1: float, y1: float, start: float, end: float, line: Colour, width: float
    ) -> None:
        s = self._scale
        self._draw.arc([x0 * s, y0 * s, x1 * s, y1 * s], start, end, line, round(width * s))

    def slice(self, x0: float, y0: float, x1: float, y1: float, start: float, end: float, fill: Colour) -> None:
        s = self._scale
        self._draw.chord([x0 * s, y0 * s, x1 * s, y1 * s], start, end, fill)

    def webp(self) -> bytes:
        done = self.picture.resize((self._size, self._size), Image.Resampling.LANCZOS)
        out = BytesIO()
        done.save(out, "WEBP", quality=84, method=2)
        return out.getvalue()
