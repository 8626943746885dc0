"""`grapevine store`, `import products` and `webhooks`, run as an operator runs them."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

import pytest

from app import db
from tests.factories import Browser, a_member, run_jobs
from tests.storefront.shop import a_shop, line, order, send

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
NEW_STORE = (
    "store",
    "create",
    "--slug",
    "tea",
    "--name",
    "Tea",
    "--origin",
    "https://tea.example",
    "--currency",
    "GBP",
)


async def grapevine(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app", *words, cwd=ROOT, env=dict(os.environ),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_store_is_opened_once_and_prints_what_the_shop_needs(web: Browser):
    await a_member("ines")
    code, out, _ = await grapevine(*NEW_STORE, "--owner", "ines", "--json")
    told = json.loads(out)
    assert code == 0 and set(told) == {"slug", "webhook_url", "secret", "publishable_key"}
    assert told["webhook_url"] == "http://test.example/webhooks/tea" and told["secret"].startswith("whsec_")
    assert await db.fetch_val("SELECT m.handle FROM store s JOIN member m ON m.id = s.owner_id") == "ines"
    again, _, err = await grapevine(*NEW_STORE)
    assert again == 1 and "Already taken" in err and len(err.strip().splitlines()) == 1
    assert (await grapevine(*NEW_STORE[:-1], "XBT"))[0] == 1
    assert (await grapevine("store", "create"))[0] == 2


async def test_products_come_in_by_csv_and_a_second_time_change_nothing(web: Browser, tmp_path: Path):
    await a_shop()
    file = tmp_path / "list.csv"
    file.write_text(
        "\ufeffSKU;Item;Link;Price;category\n"
        "A1;Pack;https://north.example/a;129.00;Packs\n"
        "A2;Boot;javascript:alert(1);80.00;Shoes\n"
        "A3;Cap;https://north.example/c;19.999;Hats\n"
        'A4;"Cap;https://north.example/d;19.99;Hats\n'
        "A5;帽子;https://north.example/e;19.99;Hats\n"
        "A6;=HYPERLINK(1);https://north.example/f;-5;Hats\n"
    )
    words = ("import", "products", str(file), "--store", "north", "--map", "id=SKU,title=Item,url=Link,price=Price")
    code, out, err = await grapevine(*words, "--dry-run", "--json")
    assert code == 0 and json.loads(out)["created"] == 2 and not await db.fetch_val("SELECT count(*) FROM product")
    code, out, err = await grapevine(*words, "--json")
    told = json.loads(out)
    assert (told["read"], told["created"], told["updated"], told["skipped"]) == (6, 2, 0, 4)
    assert {row["line"]: row["reason"].split(":")[0] for row in told["reasons"]} == {
        3: "url", 4: "price", 5: "broken quoting", 7: "price",
    }  # fmt: skip
    assert "line 5 skipped: broken quoting" in err
    rows = await db.fetch("SELECT external_id, price, currency, slug FROM product ORDER BY external_id")
    assert [tuple(row) for row in rows] == [("A1", 12_900, "USD", "pack"), ("A5", 1_999, "USD", "帽子")]
    told = json.loads((await grapevine(*words, "--json"))[1])
    assert (told["created"], told["updated"], told["unchanged"]) == (0, 0, 2)


async def test_products_come_in_by_json_lines_from_stdin(web: Browser):
    await a_shop()
    lines = [
        {"id": "A1", "title": "Pack", "url": "https://north.example/a", "price": {"amount": 12_900, "currency": "USD"}},
        {"id": "A2", "title": "Cup", "url": "https://north.example/b", "price": "450", "currency": "JPY"},
        {"id": "A3", "title": "Half a yen", "url": "https://north.example/b", "price": "4.5", "currency": "JPY"},
        {"id": "A4", "title": "A float", "url": "https://north.example/b", "price": 4.5},
    ]
    stdin = "\n".join(json.dumps(row) for row in lines).encode()
    words = ("import", "products", "-", "--store", "north", "--format", "jsonl", "--json")
    told = json.loads((await grapevine(*words, stdin=stdin))[1])
    assert (told["created"], [row["line"] for row in told["reasons"]]) == (2, [3, 4])


async def test_a_wrong_file_or_store_fails_in_one_sentence(web: Browser, tmp_path: Path):
    await a_shop()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("name,amount\n1,2\n")
    for words, sentence in (
        ((str(wrong), "--store", "north"), "The header lacks “id”, “title”, “url”, “price”. It has “name”, “amount”."),
        ((str(wrong), "--store", "none"), "There is no store called “none”."),
        ((str(tmp_path / "nowhere.csv"), "--store", "north"), "cannot be read"),
        ((str(wrong), "--store", "north", "--map", "colour=name"), "--map knows"),
    ):
        code, out, err = await grapevine("import", "products", *words, "--json")
        assert (code, out) == (1, "") and sentence in err and "Traceback" not in err
    assert await db.fetch_val("SELECT count(*) FROM product") == 0


async def test_two_thousand_products_take_a_moment(web: Browser, tmp_path: Path):
    await a_shop()
    file = tmp_path / "many.csv"
    rows = "".join(f"A{n},Thing {n},https://north.example/{n},{n}.00\n" for n in range(2_000))
    file.write_text("id,title,url,price\n" + rows)
    began = time.monotonic()
    code, out, _ = await grapevine("import", "products", str(file), "--store", "north", "--json")
    assert code == 0 and json.loads(out)["created"] == 2_000
    assert time.monotonic() - began < 30


async def test_flagged_messages_are_listed_and_read_again(web: Browser):
    shop = await a_shop()
    await send(web(), shop, "order.paid", order(lines=[line(gross=-1)]))
    await send(web(), shop, "cart.abandoned", {"id": "7"})
    await run_jobs()
    flagged = json.loads((await grapevine("webhooks", "flagged", "--json"))[1])["flagged"]
    assert [(row["state"], row["topic"]) for row in flagged] == [("kept", "cart.abandoned"), ("flagged", "order.paid")]
    code, out, _ = await grapevine("webhooks", "replay", "--since", "2020-01-01", "--json")
    assert (code, json.loads(out)) == (0, {"queued": 2})
    assert await run_jobs() == 2 and await db.fetch_val("SELECT count(*) FROM inbox WHERE state = 'received'") == 0
    assert (await grapevine("webhooks", "replay", "--since", "yesterday"))[0] == 2


async def test_the_operator_sees_and_clears_what_is_in_doubt(web: Browser):
    shop = await a_shop()
    await send(web(), shop, "order.paid", order(total=99_999))
    await run_jobs()
    held = json.loads((await grapevine("webhooks", "held", "--json"))[1])["held"]
    assert [(row["store"], row["external_id"]) for row in held] == [("north", "1001")] and "999.99" in held[0]["doubt"]
    words = ("webhooks", "clear", "--store", "north", "--order", "1001", "--note", "a gift card", "--json")
    assert json.loads((await grapevine(*words))[1]) == {"cleared": True}
    assert json.loads((await grapevine(*words))[1]) == {"cleared": False}
    assert (await grapevine("webhooks", "clear", "--store", "north", "--order", "none"))[0] == 1
    assert json.loads((await grapevine("webhooks", "held", "--json"))[1]) == {"held": []}
    assert await db.fetch_val("SELECT note FROM doubt_clearance") == "a gift card"


@pytest.mark.parametrize("provider", ["shopify", "woocommerce", "stripe", "medusa"])
async def test_a_store_of_each_kind_is_opened_and_its_secret_changed(web: Browser, provider: str):
    given = ("--secret", "shpss_0123456789abcdef") if provider == "shopify" else ()
    code, out, err = await grapevine(*NEW_STORE, "--provider", provider, *given, "--json")
    assert code == 0, err
    first = json.loads(out)["secret"]
    words = ("store", "secret", "--slug", "tea", "--json")
    if provider != "medusa":
        words = (*words, "--secret", "whsec_of-the-providers-own-kind")
        assert (await grapevine("store", "secret", "--slug", "tea", "--secret", "short"))[0] == 1
    second = json.loads((await grapevine(*words))[1])["secret"]
    row = await db.fetch_one("SELECT secret, old_secret, old_secret_until > now() AS is_taken FROM store")
    assert first != second and tuple(row) == (second, first, True)


async def test_access_is_given_sealed_and_a_shop_that_does_not_answer_is_a_failure(web: Browser):
    await a_shop(provider="woocommerce", secret="what-we-agreed-on")
    words = ("store", "access", "--slug", "north", "--url")
    assert (await grapevine(*words, "javascript:alert(1)", "--keys", "ck_1:cs_2"))[0] == 1
    assert (await grapevine(*words, "https://north.example"))[0] == 1
    assert (await grapevine(*words, "http://127.0.0.1:9", "--keys", "ck_1:cs_not_by_chance"))[0] == 0
    assert "cs_not_by_chance" not in await db.fetch_val("SELECT keys FROM store_access")
    code, out, err = await grapevine("webhooks", "pull", "--store", "north", "--json")
    assert code == 1 and "not_public" in json.loads(out)["error"] and "not_public" in err
    assert (await grapevine("store", "codes", "--slug", "north", "MARA10"))[0] == 1
