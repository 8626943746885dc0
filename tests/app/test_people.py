"""A person's data is theirs: they can take it along, and it can be taken away without touching the books."""

import json
from pathlib import Path

import pytest

from app import db, people
from app.errors import Conflict, NotFound
from referrals.clicks import directory
from tests.api_world import API, World, a_world
from tests.app.test_cli import grapevine
from tests.factories import Browser, a_member, run_jobs, sign_in
from tests.referrals.cast import books_are_right, standing

pytestmark = pytest.mark.anyio

# Tables that point at a member only to say who acted upon somebody else's things.
NOT_THEIRS = set(
    """commission_event hiding modlog_entry fraud_settings fraud_signal books_check program_version bounty campaign
       partner_form partner_invite partner_asset payout_terms payout_batch payout_batch_approval
       payout_step fx_rate shop_codes second_person pending_change bounty_refusal""".split()
)


async def test_an_export_knows_every_table_that_points_at_a_member(house):
    tables = await db.fetch(
        """SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint
            WHERE contype = 'f' AND confrelid = 'member'::regclass"""
    )
    questions = " ".join(people.FILES.values())
    not_secret = {"credential"}
    known = {row["name"] for row in tables if f"FROM {row['name']} " in questions.replace("\n", " ")}
    assert {row["name"] for row in tables} - known == NOT_THEIRS | not_secret


async def test_a_member_takes_everything_along_and_no_secret(web: Browser, tmp_path: Path):
    world = await a_world(web)
    made = await grapevine("export", "member", "ada-o", str(tmp_path / "ada"), "--json")
    assert made.returncode == 0, made.stderr
    rows = json.loads(made.stdout)["rows"]
    assert rows["profile"] == rows["topics"] == 1 and rows["ledger"] >= 1 and rows["commissions"] == 3
    files = {file.stem: file.read_text(encoding="utf-8") for file in (tmp_path / "ada").glob("*.json")}
    assert set(files) == set(people.FILES)
    assert "ada-o@example.org" in files["profile"] and "Mine clogs." in files["posts"]
    assert "Two steps coarser" not in files["posts"] + files["messages"], "Bob's words are not Ada's"
    assert "argon2" not in "".join(files.values()) and world.shop.secret not in "".join(files.values())
    with pytest.raises(Conflict):
        await people.export("ada-o", tmp_path / "ada")


async def test_erasing_takes_the_person_and_keeps_the_books(web: Browser):
    world = await a_world(web)
    browser = await sign_in(web(), world.ada)
    owed, hashes = await standing(world.ada), await _hashes()
    assert owed and hashes
    done = await grapevine("erase", "member", "ada-o", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["still_owns_groups"] == ["coffee"]
    await run_jobs()
    assert (await standing(world.ada), await _hashes()) == (owed, hashes)
    await books_are_right()
    assert (await web(token=world.ada.token).get(f"{API}/me")).status_code == 401
    assert (await browser.get("/notifications")).status_code == 303, "the session is gone"
    await _nobody_is_called_ada(world, web)
    with pytest.raises(NotFound):
        await people.erase("ada-o")


async def _nobody_is_called_ada(world: World, web: Browser) -> None:
    topic = (await web(token=world.bob.token).get(f"{API}/topics/{world.topic}")).json()
    assert topic["author"]["name"] == people.FORMER and topic["title"] == "Which grinder?"
    assert (await web().get("/@ada-o")).status_code == 404
    directory.forget("ada-here")  # remembered for three seconds
    assert (await web().get("/r/ada-here")).status_code in (404, 410)
    columns = await db.fetch(
        """SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
            AND data_type IN ('text', 'jsonb') AND table_name NOT LIKE 'pgqueuer%'"""
    )
    for column in columns:
        name = f'"{column["table_name"]}"."{column["column_name"]}"'
        found = await db.fetch_val(
            f'SELECT count(*) FROM "{column["table_name"]}" WHERE "{column["column_name"]}"::text ILIKE \'%ada-o%\''
        )
        assert found == 0, f"{name} still says ada-o"


async def test_an_erased_address_may_sign_up_again_as_somebody_new(web: Browser):
    await a_member("ada-o")
    await people.erase("ada-o")
    again = {"handle": "ada-o", "email": "ada-o@example.org", "password": "another good secret"}
    assert (await web().post(f"{API}/members", json=again)).status_code == 201


async def test_what_one_left_is_counted(web: Browser):
    world = await a_world(web)
    before = (await web(token=world.ada.token).get(f"{API}/groups/coffee")).json()["member_count"]
    await people.erase("bob-o")
    after = (await web(token=world.ada.token).get(f"{API}/groups/coffee")).json()["member_count"]
    assert after == before - 1


async def _hashes() -> list[bytes]:
    return [row["hash"] for row in await db.fetch("SELECT hash FROM ledger_transaction ORDER BY id")]
