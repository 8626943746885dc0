"""Runs alone, in a process of its own that may use little memory and little time: a picture in, plain WebP out.

Started by file name, so it imports nothing of ours. Reads the picture from stdin; the arguments are the most pixels
a side (or `square:N`) of each picture to make. Writes one line of JSON, then the pictures one after the other.
"""

import io
import json
import resource
import sys

MEMORY_BYTES = 900 * 1024 * 1024
CPU_SECONDS = 10
# A JPEG is unpacked at a fraction of its size; other kinds need several whole copies in memory.
MOST_PIXELS = {"JPEG": 52_000_000, "MPO": 52_000_000}
MOST_PIXELS_OTHERWISE = 32_000_000
MOST_SIDE = 16_000
ORIENTATION = 0x0112
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "AVIF")


class Refused(Exception):
    """Why not, as a word the caller turns into a sentence."""


def shut_in() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def develop(raw: bytes, wanted: list[str]) -> list[tuple[bytes, int, int]]:
    from PIL import Image, ImageOps, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # our own check below has the clearer answer
    try:
        picture = Image.open(io.BytesIO(raw), formats=FORMATS)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise Refused("unreadable") from error
    # Only the header has been read so far: a bomb is refused before a single pixel is unpacked.
    width, height = picture.size
    if width * height > MOST_PIXELS.get(picture.format or "", MOST_PIXELS_OTHERWISE) or max(width, height) > MOST_SIDE:
        raise Refused("too-many-pixels")
    # A phone's MPO is a photo with a second view, not a moving picture.
    if picture.format != "MPO" and getattr(picture, "is_animated", False):
        raise Refused("animated")
    try:
        picture.draft("RGB", (_largest(wanted), _largest(wanted)))
        picture.load()
        small = _reduced(picture, _largest(wanted))
        upright = ImageOps.exif_transpose(small)
        plain = upright.convert("RGBA" if _is_translucent(upright) else "RGB")
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError) as error:
        raise Refused("broken") from error
    return [_print(plain, size) for size in wanted]


def _reduced(picture, side: int):  # type: ignore[no-untyped-def]
    """A whole fraction of the picture, at least twice as large as what is wanted: the rest is done on that."""
    factor = min(picture.size) // (2 * side)
    if factor < 2 or picture.mode not in ("L", "RGB", "RGBA", "CMYK", "YCbCr"):
        return picture
    exif = picture.getexif()
    made = picture.reduce(factor)
    made.info = dict(picture.info)
    made.getexif()[ORIENTATION] = exif.get(ORIENTATION, 1)
    return made


def _is_translucent(picture) -> bool:  # type: ignore[no-untyped-def]
    return picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info


def _largest(wanted: list[str]) -> int:
    return max(int(size.removeprefix("square:")) for size in wanted)


def _print(picture, size: str) -> tuple[bytes, int, int]:  # type: ignore[no-untyped-def]
    from PIL import Image, ImageOps

    if size.startswith("square:"):
        side = int(size.removeprefix("square:"))
        made = ImageOps.fit(picture, (side, side), Image.Resampling.LANCZOS)
    else:
        made = picture.copy()
        made.thumbnail((int(size), int(size)), Image.Resampling.LANCZOS)
    # A new picture out of the bare pixels: whatever else the file carried (place, name, a second file) stays behind.
    bare = Image.new(made.mode, made.size)
    bare.paste(made)
    out = io.BytesIO()
    bare.save(out, "WEBP", quality=82, method=4)
    return out.getvalue(), *bare.size


def main() -> None:
    shut_in()
    prints: list[tuple[bytes, int, int]] = []
    refused = ""
    try:
        prints = develop(sys.stdin.buffer.read(), sys.argv[1:])
    except Refused as reason:
        refused = str(reason)
    except MemoryError:
        refused = "too-many-pixels"
    head = {"refused": refused, "prints": [[len(content), width, height] for content, width, height in prints]}
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + b"".join(content for content, _, _ in prints))


if __name__ == "__main__":
    main()
