"""The look keeps its promises: readable colours, icons that exist, nothing the content security policy would refuse."""

import re
from pathlib import Path

import pytest

FRONTEND = Path(__file__).parents[2] / "frontend"
TEMPLATES = sorted((FRONTEND / "templates").rglob("*.html"))
STYLESHEETS = sorted((FRONTEND / "static/css").rglob("*.css"))
TOKENS = (FRONTEND / "static/css/tokens.css").read_text()

ON_SURFACES = [
    (words, surface) for surface in ("paper", "card", "sunk", "accent-wash") for words in ("ink", "soft", "accent")
] + [
    ("on-accent", "accent"),
    ("on-accent", "accent-deep"),
    ("on-alert", "alert"),
    ("accent-deep", "accent-wash"),
    ("leaf", "card"),
    ("leaf", "paper"),
    ("leaf", "leaf-wash"),
    ("soft", "leaf-wash"),
    ("amber", "card"),
    ("amber", "amber-wash"),
    ("alert", "card"),
    ("alert", "alert-wash"),
]


def brightness(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    light, dark = sorted((brightness(one), brightness(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colours(theme: int) -> dict[str, str]:
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6})\w*, (#\w{6})\w*\)", TOKENS)
    return {name: both[theme] for name, *both in pairs}


@pytest.mark.parametrize("theme", [0, 1], ids=["by day", "by night"])
def test_everyone_can_read_the_words(theme: int) -> None:
    here = colours(theme)
    dim = {pair: round(c, 2) for pair in ON_SURFACES if (c := contrast(here[pair[0]], here[pair[1]])) < 4.5}
    assert dim == {}


@pytest.mark.parametrize("theme", [0, 1], ids=["by day", "by night"])
def test_everyone_can_see_the_fields_and_the_stars(theme: int) -> None:
    here = colours(theme)
    for thing in ("edge", "star"):
        assert contrast(here[thing], here["card"]) >= 3, thing


def test_colours_are_named_in_one_place() -> None:
    raw = {
        (sheet.name, colour)
        for sheet in STYLESHEETS
        if sheet.name != "tokens.css"
        for colour in re.findall(r"#[0-9a-f]{3,8}\b|\b(?:rgb|hsl)a?\(", sheet.read_text())
    }
    assert raw == set()


def test_no_template_needs_what_the_policy_refuses() -> None:
    # A block of type application/ld+json is data: no browser runs it, so the policy has nothing to refuse.
    refused = re.compile(
        r"""<style|\sstyle=|\son(?!line)[a-z]+=["']|<script(?![^>]*\s(?:src=|type="application/ld\+json"))|javascript:"""
    )
    found = {(t.name, m[0]) for t in TEMPLATES if (m := refused.search(t.read_text()))}
    assert found == set()


def test_every_icon_that_is_named_was_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (FRONTEND / "static/icons.svg").read_text()))
    asked = {
        (template.name, name)
        for template in TEMPLATES
        for name in re.findall(r"""\bicon(?:_name=|\()["']([\w-]+)["']""", template.read_text())
    }
    assert {pair for pair in asked if pair[1] not in drawn} == set()


def test_every_stylesheet_is_part_of_the_whole() -> None:
    imported = set(re.findall(r'@import "([^"]+)"', (FRONTEND / "static/css/app.css").read_text()))
    there = {str(sheet.relative_to(FRONTEND / "static/css")) for sheet in STYLESHEETS} - {"app.css"}
    assert imported == there
