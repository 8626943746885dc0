"""Batches as files: for the bank to pay, and back from it to say what arrived."""

import csv
import io

import msgspec

from app import db
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid
from app.i18n import gettext as _
from app.money import Money, in_major_units
from app.sheets import sheet_line
from referrals.payouts.amounts import leaves
from referrals.payouts.batches import access_batch
from referrals.payouts.rails import RAILS
from referrals.payouts.seal import unseal
from referrals.payouts.settlement import bounce, fail, note, settle

COLUMNS = ("payout", "rail", "holder", "account", "bic", "amount", "currency", "reference", "member")
RESULT_COLUMNS = ("payout", "result", "reference", "reason")
MOST_LINES = 10_000
MOST_BYTES = 2_000_000


class LineResult(msgspec.Struct):
    """What one line of a result file did; `said` is empty when it did what it says."""

    line: int
    payout: str
    said: str


def number_of(payout_id: int) -> str:
    """How a payout is called on statements: PO-42."""
    return f"PO-{payout_id}"


def id_in(number: str) -> int:
    digits = number.strip().upper().removeprefix("PO-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0


async def export(viewer: Viewer, slug: str, batch_id: int) -> str:
    """What a person pays by hand, account by account. Who took the details out is written down."""
    batch = await access_batch(viewer, slug, batch_id)
    if batch["state"] not in ("submitted", "done"):
        raise Conflict(_("The file is there once the batch was approved by two and sent."))
    rows = await db.fetch(
        """SELECT p.*, m.sealed, m.hint, w.handle FROM payout p
             JOIN payout_method m ON m.id = p.method_id JOIN member w ON w.id = p.member_id
            WHERE p.batch_id = $1 AND p.state = 'submitted' ORDER BY p.id""",
        batch_id,
    )
    lines = [sheet_line(COLUMNS)]
    for row in rows:
        if not RAILS[row["rail"]].is_by_hand:
            continue
        details = unseal("method", row["member_id"], row["sealed"])
        paid_to = (details.get("holder", ""), details.get("account", ""), details.get("bic", ""))
        sends, currency = leaves(row)
        paid = (in_major_units(Money(sends, currency)), currency)
        number = number_of(row["id"])
        lines.append(sheet_line((number, row["rail"], *paid_to, *paid, f"{number} {slug}", row["handle"])))
    await note("exported", batch_id=batch_id, actor_id=require_member(viewer))
    return "".join(lines)


async def import_results(viewer: Viewer, slug: str, batch_id: int, content: bytes) -> list[LineResult]:
    """Mark many at once from a file with the columns payout, result (settled, failed or returned), reference, reason.

    Each line stands for itself, and the same file a second time changes nothing.
    """
    await access_batch(viewer, slug, batch_id)
    results = []
    for line, row in _rows(content):
        payout_id = id_in(row.get("payout", ""))
        said = await mark(
            viewer, batch_id, payout_id, row.get("result", "").strip().lower(), _unquoted(row.get("reference", "")),
            _unquoted(row.get("reason", "")),
        )  # fmt: skip
        results.append(LineResult(line, row.get("payout", "")[:30], said))
    return results


async def mark(viewer: Viewer, batch_id: int, payout_id: int, result: str, reference: str, reason: str) -> str:
    """Say of one payout what became of it; why that could not be, or nothing."""
    actor_id = require_member(viewer)
    payout = await db.fetch_one("SELECT * FROM payout WHERE id = $1 AND batch_id = $2", payout_id, batch_id)
    if payout is None:
        return _("There is no such payout in this batch.")
    if payout["member_id"] == actor_id:
        # Whoever could say of their own payout that it came back would be paid twice.
        return _("Somebody else says what became of your own payout.")
    if not RAILS[payout["rail"]].is_by_hand:
        return _("Its provider says what became of it.")
    if result == "settled":
        done = payout["state"] == "submitted" and await settle(payout_id, actor_id=actor_id, note_=reference)
    elif result == "failed":
        done = payout["state"] == "submitted" and await fail(payout_id, reason or "refused", actor_id=actor_id)
    elif result == "returned":
        done = await bounce(payout_id, reason or "refused", actor_id=actor_id)
    else:
        return _("The result is settled, failed or returned.")
    return "" if done else _("It was not on its way any more: nothing was changed.")


def _rows(content: bytes) -> list[tuple[int, dict[str, str]]]:
    if len(content) > MOST_BYTES:
        raise Invalid("file", _("This file is too large."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid("file", _("The file is not CSV in UTF-8.")) from error
    try:
        sheet = csv.DictReader(io.StringIO(text), strict=True)
        names = [name.strip().lower() for name in sheet.fieldnames or []]
        if "payout" not in names or "result" not in names:
            raise Invalid("file", _("The first line names the columns: payout, result, reference, reason."))
        sheet.fieldnames = names
        rows = [(sheet.line_num, {key: value or "" for key, value in row.items() if key}) for row in sheet]
    except csv.Error as error:
        raise Invalid("file", _("The file is not CSV in UTF-8.")) from error
    if len(rows) > MOST_LINES:
        raise Invalid("file", _("This file is too large."))
    return rows


def _unquoted(cell: str) -> str:
    """Without the mark that keeps spreadsheets from calculating."""
    return cell.strip().removeprefix("'")[:200]
