"""QR codes of links: SVG for print shops, PNG for chats, PDF for the office printer. No scripts, no styles."""

import base64
import io
from functools import lru_cache
from typing import Literal

import segno

Level = Literal["l", "m", "q", "h"]
LEVELS = ("l", "m", "q", "h")
MEDIA = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}
BORDER = 4
PNG_WIDTH = 1200
FACE_WIDTH = 256
FRAME = 0.5  # The white around a face, in modules.
GRAPE, LEAF = "#6b2d5c", "#4d7c3a"
# Our mark as discs: x, y and radius in hundredths of the white field in the middle.
MARK = [
    (50, 24, 11, LEAF),
    *((x, y, 13, GRAPE) for x, y in ((28, 46), (50, 46), (72, 46), (39, 66), (61, 66), (50, 86))),
]


@lru_cache(maxsize=256)
def draw(url: str, kind: str, level: Level = "q", logo: bool = False, face: bytes = b"") -> bytes:
    """The picture of a URL. Level Q survives a poster in the rain: a quarter may be covered.

    With our mark (`logo`) or a picture of one's own (`face`) in its middle it always has level H, a third.
    """
    code = segno.make(url, error="h" if logo or face else level, micro=False, boost_error=False)
    return {"svg": _svg, "png": _png, "pdf": _pdf}[kind](code, logo, _as_jpeg(face) if face else b"")


def field_of(code: segno.QRCode) -> tuple[float, float]:
    """Where the white field of the mark begins, and its side, in modules with the border: a 25th of the area."""
    size = code.symbol_size(border=0)[0]
    side = int(size) // 5 | 1
    return BORDER + (size - side) / 2, side


def _svg(code: segno.QRCode, logo: bool, face: bytes) -> bytes:
    out = io.BytesIO()
    # Dark on white whatever the theme: scanners want that contrast.
    code.save(
        out,
        kind="svg",
        border=BORDER,
        dark="black",
        light="white",
        xmldecl=False,
        omitsize=True,
        svgclass=None,
        lineclass=None,
    )
    if not logo and not face:
        return out.getvalue()
    start, side = field_of(code)
    parts = [f'<path fill="#fff" d="M{start:g} {start:g}h{side:g}v{side:g}h-{side:g}z"/>']
    if face:
        edge, width = start + FRAME, side - 2 * FRAME
        parts.append(
            f'<image x="{edge:g}" y="{edge:g}" width="{width:g}" height="{width:g}"'
            f' href="data:image/jpeg;base64,{base64.b64encode(face).decode()}"/>'
        )
    for x, y, radius, colour in () if face else MARK:
        unit = side / 100
        parts.append(
            f'<circle cx="{start + x * unit:.2f}" cy="{start + y * unit:.2f}" r="{radius * unit:.2f}" fill="{colour}"/>'
        )
    return out.getvalue().replace(b"</svg>", "".join(parts).encode() + b"</svg>")


def _png(code: segno.QRCode, logo: bool, face: bytes) -> bytes:
    scale = max(1, PNG_WIDTH // code.symbol_size(border=BORDER)[0])
    out = io.BytesIO()
    code.save(out, kind="png", scale=scale, border=BORDER, dark="black", light="white")
    if not logo and not face:
        return out.getvalue()
    # Loaded for what is in the middle alone: no other page of the web process draws.
    from PIL import Image, ImageDraw

    image = Image.open(out).convert("RGB")
    pen = ImageDraw.Draw(image)
    start, side = (value * scale for value in field_of(code))
    pen.rectangle((start, start, start + side - 1, start + side - 1), fill="white")
    if face:
        width = round(side - 2 * FRAME * scale)
        image.paste(Image.open(io.BytesIO(face)).resize((width, width)), (round(start + FRAME * scale),) * 2)
    for x, y, radius, colour in () if face else MARK:
        centre_x, centre_y, r = start + x * side / 100, start + y * side / 100, radius * side / 100
        pen.ellipse((centre_x - r, centre_y - r, centre_x + r, centre_y + r), fill=colour)
    drawn = io.BytesIO()
    image.quantize(256 if face else 64).save(drawn, "PNG", optimize=True)
    return drawn.getvalue()


def _pdf(code: segno.QRCode, logo: bool, face: bytes) -> bytes:
    """One page with nothing but the code, as lines and curves, which stay sharp at any size."""
    size = code.symbol_size(border=BORDER)[0]
    unit = 283.46 / size  # Ten centimetres wide.
    ink = [f"{unit:.5f} 0 0 {-unit:.5f} 0 283.46 cm 1 1 1 rg 0 0 {size} {size} re f 0 0 0 rg"]
    for y, row in enumerate(code.matrix_iter(border=BORDER)):
        ink += [f"{x} {y} 1.02 1.02 re" for x, dark in enumerate(row) if dark]
    ink.append("f")
    if logo or face:
        start, side = field_of(code)
        ink.append(f"1 1 1 rg {start:g} {start:g} {side:g} {side:g} re f")
    if face:
        width = side - 2 * FRAME
        # The page was turned upside down above; a picture has its own way up.
        ink.append(f"q {width:g} 0 0 {-width:g} {start + FRAME:g} {start + FRAME + width:g} cm /Face Do Q")
    elif logo:
        ink += [
            _disc(start + x * side / 100, start + y * side / 100, r * side / 100, colour) for x, y, r, colour in MARK
        ]
    return _file("\n".join(ink).encode(), face)


def _as_jpeg(face: bytes) -> bytes:
    """As every reader of SVG and PDF understands it."""
    from PIL import Image, ImageOps

    square = ImageOps.fit(Image.open(io.BytesIO(face)).convert("RGB"), (FACE_WIDTH, FACE_WIDTH))
    out = io.BytesIO()
    square.save(out, "JPEG", quality=88)
    return out.getvalue()


def _disc(x: float, y: float, r: float, colour: str) -> str:
    k = 0.5523 * r  # The length of a Bezier handle that makes a quarter of a circle.
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return (
        f"{red:.3f} {green:.3f} {blue:.3f} rg {x + r:.3f} {y:.3f} m "
        f"{x + r:.3f} {y + k:.3f} {x + k:.3f} {y + r:.3f} {x:.3f} {y + r:.3f} c "
        f"{x - k:.3f} {y + r:.3f} {x - r:.3f} {y + k:.3f} {x - r:.3f} {y:.3f} c "
        f"{x - r:.3f} {y - k:.3f} {x - k:.3f} {y - r:.3f} {x:.3f} {y - r:.3f} c "
        f"{x + k:.3f} {y - r:.3f} {x + r:.3f} {y - k:.3f} {x + r:.3f} {y:.3f} c f"
    )


def _file(ink: bytes, face: bytes) -> bytes:
    resources = b"<< /XObject << /Face 5 0 R >> >>" if face else b"<< >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 283.46 283.46] /Contents 4 0 R /Resources %s >>" % resources,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(ink), ink),
    ]
    if face:
        objects.append(
            b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8"
            b" /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream" % (FACE_WIDTH, FACE_WIDTH, len(face), face)
        )
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        table,
        len(objects) + 1,
        len(out),
    )
