"""A page costs little: its own scripts, followed to the last import, and nothing from anyone else."""

import gzip
import re
from pathlib import Path

import pytest

from app.web import FRONTEND

TEMPLATES = FRONTEND / "templates"
BUDGET = 40 * 1024
# What a page fetches once it stands and is looked around in: only a chat and a live event do that.
LATER = 20 * 1024
ASSET = re.compile(r'<script[^>]*src="\{\{ asset\("([^"]+\.js)"\) \}\}"')
IMPORT = re.compile(r'^\s*import\s[^"\']*["\'](\./[^"\']+)["\']', re.MULTILINE)
IMPORT_LATER = re.compile(r'import\(["\'](\./[^"\']+)["\']\)')
PAGES = sorted(
    path for path in TEMPLATES.rglob("*.html") if ASSET.search(path.read_text()) and path.name != "base.html"
)


def file_of(asset: str) -> Path:
    return FRONTEND / asset if asset.startswith("components/") else FRONTEND / "static" / asset


def everything(script: Path, seen: set[Path], *, later: bool) -> set[Path]:
    """A script and all that it imports, at once or also later."""
    if script not in seen:
        seen.add(script)
        text = script.read_text()
        for found in [*IMPORT.findall(text), *(IMPORT_LATER.findall(text) if later else [])]:
            everything((script.parent / found).resolve(), seen, later=later)
    return seen


def scripts_of(*templates: Path, later: bool = False) -> set[Path]:
    seen: set[Path] = set()
    for template in templates:
        for asset in ASSET.findall(template.read_text()):
            everything(file_of(asset).resolve(), seen, later=later)
    return seen


def sizes_of(scripts: set[Path]) -> dict[str, int]:
    return {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in scripts}


@pytest.mark.skipif(
    not (FRONTEND / "static/build/vendor/htmx.js").is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup"
)
@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_page_loads_more_than_forty_kilobytes_of_scripts(page: Path) -> None:
    loaded = scripts_of(TEMPLATES / "base.html", page)
    assert len(loaded) > 5, "the base page alone loads more than this: the test no longer finds the scripts"
    sizes = sizes_of(loaded)
    assert sum(sizes.values()) <= BUDGET, sizes
    base = TEMPLATES / "base.html"
    afterwards = sizes_of(scripts_of(base, page, later=True) - scripts_of(base, page))
    assert sum(afterwards.values()) <= (LATER if afterwards.keys() & {"chat-history.js", "live-figures.js"} else 0), afterwards


def test_no_template_or_stylesheet_names_somebody_else_s_server() -> None:
    loads = re.compile(
        r'(?:src|srcset|poster|action)="(?:https?:)?//|<link[^>]*href="(?:https?:)?//|url\(["\']?(?:https?:)?//'
    )
    files = [
        *TEMPLATES.rglob("*.html"),
        *(FRONTEND / "static").rglob("*.css"),
        *(FRONTEND / "components").rglob("*.js"),
    ]
    assert [path.name for path in files if loads.search(path.read_text())] == []
