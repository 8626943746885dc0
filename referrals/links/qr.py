"""QR codes of links, as SVG without scripts or styles."""

import io
from functools import lru_cache

import segno


@lru_cache(maxsize=256)
def svg_of(url: str) -> bytes:
    """Error level Q: a quarter may be covered, so that it survives a poster in the rain."""
    out = io.BytesIO()
    # Dark on white whatever the theme: scanners want that contrast.
    segno.make(url, error="q", micro=False).save(
        out,
        kind="svg",
        border=4,
        dark="black",
        light="white",
        xmldecl=False,
        omitsize=True,
        svgclass=None,
        lineclass=None,
    )
    return out.getvalue()
