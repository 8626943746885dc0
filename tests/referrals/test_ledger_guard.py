"""Who watches the books: the database's own rights, the nightly check, and people who let go of a debt."""

from datetime import timedelta

import asyncpg
import pytest

from app import clock, db
from app.doctor import examine
from app.grants import APPEND_ONLY, grant_to
from referrals.books.service import check_books, verify
from referrals.commissions import audit, audit_terms, trails
from referrals.commissions.release import release_due
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.referrals.test_holds import A_HOLD, an_earner, pay, take_back
from tests.referrals.test_ledger import grapevine, some_commissions, with_triggers_off
from tests.storefront.shop import order

pytestmark = pytest.mark.anyio
ROLE = "gv_app_role_of_tests"


@pytest.fixture
async def app_role(house):  # type: ignore[no-untyped-def]
    """A role as `grapevine migrate --app-role` leaves it."""
    await db.execute(f"CREATE ROLE {ROLE}")
    await grant_to(ROLE)
    yield ROLE
    for statement in (f"REASSIGN OWNED BY {ROLE} TO CURRENT_USER", f"DROP OWNED BY {ROLE}", f"DROP ROLE {ROLE}"):
        await db.execute(statement)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
async def test_the_servers_role_has_no_right_to_change_the_books(app_role: str, table: str, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction():
            await db.execute(f"SET LOCAL ROLE {app_role}")
            await db.execute(statement.format(table))


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER ledger_entry_append_only ON ledger_entry",
        "INSERT INTO migration (name, app_name) VALUES ('x', 'y')",
    ],
)
async def test_the_servers_role_cannot_go_around_the_triggers(app_role: str, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with db.transaction():
            await db.execute(f"SET LOCAL ROLE {app_role}")
            await db.execute(statement)


async def test_an_order_becomes_money_under_the_servers_role(web: Browser, app_role: str):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    await db.execute("UPDATE order_line SET gross = gross - 1000")
    from referrals.clicks.service import recount
    from referrals.commissions.service import settle

    async with db.transaction():
        await db.execute(f"SET LOCAL ROLE {app_role}")
        await settle(await db.fetch_val("SELECT id FROM orders"))
        await recount()
    assert await standing(mara) == {("pending", "USD"): 1100}
    await books_are_right()


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_not_even_the_owner_empties_the_books_by_mistake(web: Browser, table: str):
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute(f"TRUNCATE {table} CASCADE")


async def test_migrating_for_a_role_that_is_not_there_says_so(web: Browser):
    assert (await grapevine("migrate", "--app-role", "nobody-of-that-name"))[0] == 1


async def test_the_nightly_check_finds_drift_and_wakes_the_admins_once(web: Browser):
    boss = await a_member("boss", role="admin")
    await some_commissions(web)
    assert await check_books() == []
    await with_triggers_off("UPDATE ledger_entry SET amount = amount * 2 WHERE id = (SELECT min(id) FROM ledger_entry)")
    assert await check_books() != []
    await run_jobs()
    bells = await db.fetch("SELECT * FROM notification WHERE kind = 'books_drifted'")
    assert [(bell["member_id"], bell["url"]) for bell in bells] == [(boss.id, "/admin/books")]
    browser = await sign_in(web(), boss)
    shown = (await browser.get("/admin/books")).text
    assert "was changed after it was written" in shown
    assert "The books do not fit the facts" in (await browser.get("/notifications")).text


@pytest.mark.parametrize(
    ("tampering", "complaint"),
    [
        ("DELETE FROM click WHERE id = (SELECT id FROM click LIMIT 1)", "are counted"),
        ("UPDATE click_count SET clicks = clicks + 1", "are counted"),
        ("DELETE FROM commission_event", "no step says"),
        ("UPDATE commission SET state = 'held'", "no case is open that holds it"),
        ("UPDATE attribution SET rule = 'nobody'", "order"),
        ("DELETE FROM ledger_entry; DELETE FROM ledger_transaction", "the facts ask for"),
    ],
)
async def test_each_projection_that_differs_from_its_facts_is_found(web: Browser, tampering: str, complaint: str):
    await some_commissions(web)
    assert (await verify())[1] == []
    await with_triggers_off(tampering)
    assert any(complaint in error for error in (await verify())[1])


async def test_only_admins_ask_for_a_check_and_the_worker_makes_it(web: Browser):
    boss, mara = await a_member("boss", role="admin"), await a_member("mara")
    browser = await sign_in(web(), boss)
    assert (await submit(browser, "/admin/books", {})).status_code == 303
    await run_jobs()
    assert "The books are right." in (await browser.get("/admin/books")).text
    assert await db.fetch_val("SELECT asked_by FROM books_check") == boss.id
    other = await sign_in(web(), mara)
    assert (await other.get("/admin/books")).status_code == 403
    assert (await web().get("/admin/books")).status_code in (303, 401)


async def test_a_debt_is_let_go_of_by_the_store_with_a_reason_and_never_twice(web: Browser):
    mara, shop, ids = await an_earner(web, "1001", "1002")
    owner, stranger = await a_member("owner"), await a_member("stranger")
    await db.execute("UPDATE store SET owner_id = $1", owner.id)
    clock.travel(A_HOLD)
    await db.execute("UPDATE commission SET screened_at = NULL WHERE id = $1", ids[1])
    await release_due()
    await pay(1, shop, ids[0])
    await take_back(web, shop, "1001", 7000)
    path, told = "/admin/programs/north/debts", {"member_id": mara.id, "currency": "USD"}
    browser = await sign_in(web(), owner)
    assert "@mara" in (await browser.get(path)).text
    assert (await submit(browser, path, told | {"note": "  "})).status_code == 422
    assert await standing(mara) == {("pending", "USD"): 1000, ("receivable", "USD"): -700}
    assert (await submit(browser, path, told | {"note": "She is gone, and it is little."})).status_code == 303
    assert await standing(mara) == {("pending", "USD"): 1000}
    assert "She is gone" in (await browser.get(path)).text
    assert (await submit(browser, path, told | {"note": "again"}, page="/settings/email")).status_code == 409
    other = await sign_in(web(), stranger)
    assert (await other.get(path)).status_code in (403, 404)
    await books_are_right()
    # What comes later is hers again, and what goes back again is owed again.
    await db.execute("UPDATE commission SET screened_at = created_at")
    await release_due()
    assert await standing(mara) == {("available", "USD"): 1000}
    await take_back(web, shop, "1001", 3000, "rest")
    assert await standing(mara) == {("available", "USD"): 1000, ("receivable", "USD"): -300}
    await books_are_right()


async def test_nobody_lets_go_of_their_own_debt(web: Browser):
    mara, shop, ids = await an_earner(web)
    await db.execute("UPDATE store SET owner_id = $1", mara.id)
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, *ids)
    await take_back(web, shop, "1001", 7000)
    browser = await sign_in(web(), mara)
    told = {"member_id": mara.id, "currency": "USD", "note": "for me"}
    assert (await submit(browser, "/admin/programs/north/debts", told)).status_code == 403
    assert await standing(mara) == {("receivable", "USD"): -700}


async def test_checks_find_the_same_in_small_stretches_and_no_statement_reads_them_all(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    await an_earner(web, *(f"o{n}" for n in range(5)))
    tampered = (
        "UPDATE order_line SET gross = gross + 1000 WHERE id = (SELECT max(id) FROM order_line)",
        "DELETE FROM commission_event WHERE commission_id = (SELECT min(id) FROM commission)",
        "UPDATE commission SET state = 'held' WHERE id = (SELECT min(id) + 1 FROM commission)",
        "UPDATE commission SET rate_bps = 1 WHERE id = (SELECT min(id) + 2 FROM commission)",
    )
    for statement in tampered:
        await with_triggers_off(statement)
    with db.watch_queries() as whole:
        expected = await audit.check_commissions()
    assert len(expected) >= 4
    for module, name in ((audit, "AT_ONCE"), (audit_terms, "BATCH"), (trails, "AT_ONCE")):
        monkeypatch.setattr(module, name, 1)
    with db.watch_queries() as pieces:
        assert await audit.check_commissions() == expected
    assert len(pieces) >= len(whole) + 4 * 5


async def test_a_check_of_everything_may_take_longer_than_a_page(web: Browser):
    with db.patiently(0.1), pytest.raises(TimeoutError):
        await db.fetch_val("SELECT pg_sleep(2)")
    # Longer than any statement of a page may take, were it asked for.
    assert await db.fetch_val("SELECT 1") == 1
    real = db.STATEMENT_SECONDS
    async with db.acquired() as connection:
        assert connection._config.command_timeout == real


async def test_the_doctor_says_how_the_books_were_and_when(web: Browser):
    async def books() -> tuple[bool, str]:
        return next((one.ok, one.seen) for one in await examine() if one.part == "books")

    assert await books() == (True, "not checked yet: every night at 3:41 UTC")
    _mara, _shop, _ids = await an_earner(web)
    clock.travel(timedelta(hours=30))
    assert await books() == (False, "never checked, the first entry was 30 h ago")
    await check_books()
    clock.travel(timedelta(hours=5))
    assert await books() == (True, "clean 5 h ago")
    clock.travel(timedelta(hours=23))
    assert await books() == (False, "the last nightly check was 28 h ago")
    await with_triggers_off("UPDATE ledger_entry SET amount = amount + 1 WHERE line = 1")
    await check_books()
    ok, seen = await books()
    assert not ok and seen.endswith("errors 0 h ago")
