"""Codes as a sheet: what a store takes into its shop by hand, and brings in from elsewhere."""

import csv
import io
from collections.abc import AsyncIterator

import asyncpg
import msgspec

from app.auth import Viewer
from app.errors import Conflict, Invalid, Problem
from app.i18n import gettext as _
from app.sheets import sheet_line
from referrals.codes import queries, service
from referrals.codes.schemas import Imported, NewCode
from storefront.stores.policy import access_own_store

COLUMNS = ("code", "owner", "kind", "state", "used", "limit_total", "limit_per_buyer", "valid_from", "valid_until")
MOST_ROWS = 1_000
MOST_REASONS = 100
PAGE = 500


async def export(viewer: Viewer, slug: str) -> AsyncIterator[str]:
    """A store's codes as CSV, line by line, however many there are."""
    store = await access_own_store(viewer, slug)
    return _lines(store["id"])


async def _lines(store_id: int) -> AsyncIterator[str]:
    yield sheet_line(COLUMNS)
    cursor: str | None = None
    while True:
        page = await queries.codes_of_store(store_id, cursor=cursor, limit=PAGE)
        for row in page.items:
            yield sheet_line(_cells(row))
        cursor = page.next
        if cursor is None:
            return


def _cells(row: asyncpg.Record) -> tuple[object, ...]:
    days = (row["valid_from"].isoformat() if row["valid_from"] else "", _until(row))
    return (row["text"], row["owner"], row["kind"], row["state"], row["used_total"], *_limits(row), *days)


def _limits(row: asyncpg.Record) -> tuple[object, object]:
    return row["limit_total"] or "", row["limit_per_buyer"] or ""


def _until(row: asyncpg.Record) -> str:
    return row["valid_until"].isoformat() if row["valid_until"] else ""


async def bring_in(viewer: Viewer, slug: str, text: str) -> Imported:
    """Campaign codes from CSV with a header (`code`, `owner`, and more if wanted). A bad line is skipped, and says why.

    The same file again changes nothing: codes that are there already are skipped.
    """
    await access_own_store(viewer, slug)
    reader = csv.DictReader(io.StringIO(text.lstrip("\ufeff")), strict=True)
    created, skipped = 0, []
    try:
        if not {"code", "owner"} <= {(name or "").strip() for name in reader.fieldnames or ()}:
            raise Invalid("sheet", _("The first line names the columns; “code” and “owner” must be among them."))
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise Invalid("sheet", _("This is not CSV: %(why)s", why=str(error))) from error
    if len(rows) > MOST_ROWS:
        raise Invalid("sheet", _("At most %(most)s lines at once, please.", most=MOST_ROWS))
    for line, row in rows:
        given = {name.strip(): (value or "").strip() for name, value in row.items() if isinstance(name, str) and value}
        try:
            new = msgspec.convert({k: v for k, v in given.items() if k in _FIELDS}, NewCode, strict=False)
            await service.make_campaign_code(viewer, slug, new)
            created += 1
        except (Problem, msgspec.ValidationError) as problem:
            why = problem.detail if isinstance(problem, Problem) else str(problem)
            if isinstance(problem, Conflict):
                why = _("That code is taken.")
            skipped.append((line, why))
    return Imported(created, skipped[:MOST_REASONS])


_FIELDS = {field.name for field in msgspec.structs.fields(NewCode)}
