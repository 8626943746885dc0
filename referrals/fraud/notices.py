"""Who hears of a case: the member in plain words, whoever may decide it, and when it is late, the admins."""

from datetime import datetime

import asyncpg

from app import db
from community.notifications.service import notify
from referrals.fraud import queries

MOST_TOLD = 50


async def opened(case_id: int) -> None:
    case = await queries.case_by_id(case_id)
    data = {"store": case["store_name"], "reason": queries.reason_of(case["rule"])}
    source, url = f"fraud:{case_id}:opened", f"/earn/checks/{case_id}"
    await notify(case["member_id"], "check_opened", source=source, url=url, data=data)
    await _tell_deciders(case, "case_opened", "opened")


async def answered(case_id: int, *, by: int) -> None:
    case = await queries.case_by_id(case_id)
    said = await db.fetch_val("SELECT max(id) FROM fraud_entry WHERE case_id = $1", case_id)
    await _tell_deciders(case, "case_answered", f"entry:{said}")


async def decided(case_id: int, *, by: int) -> None:
    case = await queries.case_by_id(case_id)
    data = {"store": case["store_name"], "state": case["state"]}
    source, url = f"fraud:{case_id}:{case['state']}", f"/earn/checks/{case_id}"
    await notify(case["member_id"], "check_decided", source=source, url=url, data=data)


async def overdue(case_id: int, now: datetime) -> None:
    case = await queries.case_by_id(case_id)
    await _tell_deciders(case, "case_late", f"late:{now:%Y-%m-%d}", admins=True)


async def _tell_deciders(case: asyncpg.Record, kind: str, what: str, *, admins: bool = False) -> None:
    """The store's owner, or the admins when there is none, when it is about the owner, or when it is late."""
    owner_id = case["owner_id"]
    wants_admins = admins or owner_id is None or owner_id == case["member_id"] or case["state"] == "appealed"
    rows = await db.fetch(
        """SELECT id FROM member WHERE id <> $1 AND (id = $2 OR ($3 AND role = 'admin')) ORDER BY id LIMIT $4""",
        case["member_id"],
        owner_id,
        wants_admins,
        MOST_TOLD,
    )
    data = {"member": case["handle"], "store": case["store_name"], "rule": case["rule"]}
    url = f"/admin/programs/{case['store_slug']}/cases/{case['id']}"
    for row in rows:
        await notify(row["id"], kind, source=f"fraud:{case['id']}:{what}", url=url, data=data)
