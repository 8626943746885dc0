"""A page costs little: its own scripts, followed to the last import, and nothing from anyone else."""

import gzip
import re
from pathlib import Path

import pytest

from app.web import FRONTEND

TEMPLATES = FRONTEND / "templates"
BUDGET = 40 * 1024
ASSET = re.compile(r'<script[^>]*src="\{\{ asset\("([^"]+\.js)"\) \}\}"')
# As the build writes it: `import{a}from"./b.js"`, `import"./b.js"`, `import("./b.js")`.
IMPORT = re.compile(r'(?:from|import)\s*\(?\s*["\'](\./[^"\']+)["\']')
LEAVES_HTMX_OUT = "{% block htmx %}{% endblock %}"
PAGES = sorted(
    path for path in TEMPLATES.rglob("*.html") if ASSET.search(path.read_text()) and path.name != "base.html"
)


def file_of(asset: str) -> Path:
    return FRONTEND / "static" / ("build" if asset.startswith("components/") else "") / asset


def everything(script: Path, seen: set[Path]) -> set[Path]:
    """A script and all that it imports, at once or later, when somebody reaches for it."""
    if script not in seen:
        seen.add(script)
        for found in IMPORT.findall(script.read_text()):
            everything((script.parent / found).resolve(), seen)
    return seen


def scripts_of(*templates: Path) -> set[Path]:
    seen: set[Path] = set()
    texts = [template.read_text() for template in templates]
    swaps_nothing = any(LEAVES_HTMX_OUT in text for text in texts)
    for asset in (asset for text in texts for asset in ASSET.findall(text)):
        if not (swaps_nothing and asset.endswith("htmx.js")):
            everything(file_of(asset).resolve(), seen)
    return seen


@pytest.mark.parametrize(
    "page", [page for page in PAGES if LEAVES_HTMX_OUT in page.read_text()], ids=lambda path: path.name
)
def test_a_page_that_leaves_htmx_out_asks_nothing_of_it(page: Path) -> None:
    """Nor does anything it includes."""
    waiting = [page]
    while waiting:
        template = waiting.pop()
        text = template.read_text()
        assert "hx-" not in text, template
        waiting += [TEMPLATES / name for name in re.findall(r'{% include "([^"]+)"', text)]


@pytest.mark.skipif(
    not (FRONTEND / "static/build/vendor/htmx.js").is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup"
)
@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_no_page_loads_more_than_forty_kilobytes_of_scripts(page: Path) -> None:
    """All of it, also what is fetched only when somebody reaches for it."""
    loaded = scripts_of(TEMPLATES / "base.html", page)
    assert len(loaded) > 3, "the base page alone loads more than this: the test no longer finds the scripts"
    if page.name == "room.html":
        assert any(script.name.startswith("chat-acts") for script in loaded), "nor what is fetched later"
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in loaded}
    assert sum(sizes.values()) <= BUDGET, sizes


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
