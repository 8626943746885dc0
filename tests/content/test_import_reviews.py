import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from app import db
from app.importing import BadFile, Report, Source, columns_of
from content.reviews.imports import NEEDED, OPTIONAL, import_reviews
from storefront.stores.queries import store_by_slug
from tests.content.people import say
from tests.factories import Browser, a_member
from tests.storefront.shop import a_product, a_shop

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
REAL_FILE = ROOT.parent / "shared" / "data" / "clothing-reviews.csv"
MAP = 'title=Title,body="Review Text",rating=Rating,product="Clothing ID",category="Class Name"'
HEADER = "product,rating,title,body,category\n"


async def bring_in(text: str | bytes, mapping: str = "", *, dry_run: bool = False, format: str = "csv") -> Report:
    raw = text if isinstance(text, bytes) else text.encode()
    said: list[str] = []
    source = Source(io.BytesIO(raw), format, Report(), said.append)
    columns = columns_of(mapping, (*NEEDED, *OPTIONAL))
    report = await import_reviews(await store_by_slug("north"), source, columns, dry_run=dry_run)
    assert len(said) == report.skipped
    return report


async def test_the_real_file_comes_in_once_by_the_command(web: Browser):
    """670 reviews of 124 products, through `grapevine import reviews` as an operator runs it."""
    if not REAL_FILE.exists():
        pytest.skip(f"THE REAL FILE IS NOT HERE: {REAL_FILE.name} comes with the shared folder, not with a clone")
    await a_shop()

    async def run(*more: str) -> dict:
        command = [sys.executable, "-m", "app", "import", "reviews", str(REAL_FILE), "--store", "north", "--map", MAP]
        command += ["--json", *more]
        done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert (await run("--dry-run"))["created"] == 670
    assert await db.fetch_val("SELECT count(*) FROM review") == 0 == await db.fetch_val("SELECT count(*) FROM product")
    first = await run()
    assert (first["read"], first["created"], first["skipped"]) == (670, 670, 0)
    assert await db.fetch_val("SELECT count(*) FROM product") == 124
    assert await db.fetch_val("SELECT sum(reviews) FROM product_rating") == 670
    by_stars = await db.fetch("SELECT stars, sum(reviews)::int AS n FROM product_rating GROUP BY stars ORDER BY stars")
    assert [row["n"] for row in by_stars] == [17, 57, 84, 159, 353]
    assert await db.fetch_val("SELECT count(*) FROM review WHERE evidence <> 'imported' OR author_id IS NOT NULL") == 0
    again = await run()
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 670)
    slug = await db.fetch_val("SELECT slug FROM product WHERE external_id = '850'")
    page = (await web().get(f"/p/{slug}")).text
    assert "Imported, not verified" in page and "A customer of North" in page and "$0.00" not in page
    assert (await web().get(f"/api/v1/products/{slug}/reviews?verified=true")).json()["items"] == []


async def test_every_skipped_line_is_told_with_its_number_and_reason(web: Browser):
    await a_product(await a_shop())
    report = await bring_in(
        HEADER
        + "SKU-1,5,Good,It holds,\n"  # 2
        + "SKU-1,6,Too good,It flies,\n"  # 3
        + "SKU-1,4,Empty,   ,\n"  # 4
        + "SKU-9,4,Unknown,No such thing,\n"  # 5
        + 'SKU-1,3,"Two\nlines",Fine,\n'  # 6 and 7
        + "SKU-1,3,Short\n"  # 8
        + "SKU-1,5,Good,It holds,\n"  # 9
        + "SKU-1,2,=2+5+cmd|' /C calc'!A0,=HYPERLINK(1),\n"  # 10
        + "NEW,4,,Makes its product,Tents\n"  # 11
    )
    assert (report.read, report.created, report.skipped) == (9, 4, 5)
    assert [(skip.line, skip.reason.split(":")[0]) for skip in sorted(report.reasons, key=lambda skip: skip.line)] == [
        (3, "rating"),
        (4, "body"),
        (5, "product"),
        (8, "fields"),
        (9, "the same review as in line 2"),
    ]
    formula = await db.fetch_one("SELECT title, body, html FROM review WHERE rating = 2")
    assert formula["title"].startswith("=2+5") and formula["body"] == "=HYPERLINK(1)" and "<a" not in formula["html"]
    made = await db.fetch_one("SELECT title, category FROM product WHERE external_id = 'NEW'")
    assert (made["title"], made["category"]) == ("Tents NEW", "Tents")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", "empty"),
        (b"a,b,c\n1,2,3\n", "lacks"),
        (b'product,rating,"body\n', "broken quoting"),
        ("product,rating,body\nx,5,y\n".encode("utf-16"), "UTF-16"),
    ],
)
async def test_a_file_that_is_something_else_is_refused_in_one_sentence(web: Browser, text: bytes, words: str):
    await a_shop()
    with pytest.raises(BadFile) as refused:
        await bring_in(text)
    assert words in refused.value.detail
    assert await db.fetch_val("SELECT count(*) FROM review") == 0


async def test_a_column_that_the_map_names_and_the_file_lacks_is_told(web: Browser):
    await a_shop()
    with pytest.raises(BadFile, match="Headline"):
        await bring_in(HEADER + "SKU-1,5,Good,It holds,\n", "title=Headline")
    with pytest.raises(BadFile, match="colour"):
        await bring_in(HEADER, "colour=Colour")


async def test_a_mark_at_the_start_bad_bytes_and_controls_do_not_stop_the_rest(web: Browser):
    await a_product(await a_shop())
    report = await bring_in(
        b"\xef\xbb\xbf"
        + HEADER.encode()
        + b"SKU-1,5,Good,Caf\xff,\nSKU-1,5,Nul\x00l,With\x00 nul,\nSKU-1,4,Fine,Caf\xc3\xa9,\n"
    )
    assert (report.created, report.skipped) == (2, 1)
    assert report.reasons[0].line == 2
    bodies = {row["body"] for row in await db.fetch("SELECT body FROM review")}
    assert bodies == {"With nul", "Café"}


async def test_a_quote_that_never_closes_costs_its_own_line_only(web: Browser):
    await a_product(await a_shop())
    report = await bring_in(HEADER + 'SKU-1,5,Good,"It holds,\nSKU-1,4,Fine,It is fine,\nSKU-1,3,So so,It is so so,\n')
    assert (report.created, report.skipped) == (2, 1) and report.reasons[0].line == 2


async def test_a_second_run_creates_nothing_and_takes_over_what_changed(web: Browser):
    slug = await a_product(await a_shop())
    lines = "".join(
        json.dumps({"product": "SKU-1", "rating": n, "body": f"Words {n}", "id": n}) + "\n" for n in (1, 2, 3)
    )
    assert (await bring_in(lines, format="jsonl")).created == 3
    changed = lines.replace("Words 2", "Other words")
    report = await bring_in(changed, format="jsonl")
    assert (report.created, report.updated, report.unchanged) == (0, 1, 2)
    await say(await a_member(), slug, 5)
    assert (await bring_in(changed, format="jsonl")).unchanged == 3
    assert await db.fetch_val("SELECT count(*) FROM review") == 4
    found = (await web().get(f"/api/v1/products/{slug}")).json()["histogram"]
    assert found == {"1": 1, "2": 1, "3": 1, "4": 0, "5": 1}


async def test_dates_are_kept_and_impossible_ones_are_told(web: Browser):
    await a_product(await a_shop())
    report = await bring_in(
        "product,rating,body,date\nSKU-1,5,One,2024-03-31\nSKU-1,5,Two,31.03.2024\nSKU-1,5,Three,2999-01-01\n"
    )
    assert (report.created, [skip.line for skip in report.reasons]) == (1, [3, 4])
    assert str(await db.fetch_val("SELECT created_at FROM review"))[:10] == "2024-03-31"


async def test_a_dry_run_says_what_would_happen_and_leaves_nothing(web: Browser):
    await a_product(await a_shop())
    report = await bring_in(HEADER + "SKU-1,5,Good,It holds,\nNEW,4,,Makes its product,Tents\n", dry_run=True)
    assert report.created == 2
    for table in ("review", "product_rating", "event"):
        kind = "WHERE type = 'ReviewsImported'" if table == "event" else ""
        assert await db.fetch_val(f"SELECT count(*) FROM {table} {kind}") == 0
    assert await db.fetch_val("SELECT count(*) FROM product") == 1
