"""Who hears of an objection: whoever may answer it, and the member of the answer."""

import asyncpg

from app import db
from community.notifications.service import notify
from referrals.attribution.addresses import why_address
from referrals.objections.queries import objection_by_id, people_in, state_of

MOST_TOLD = 50


async def raised(objection_id: int) -> None:
    await _tell_deciders(await objection_by_id(objection_id), "raised")


async def late(objection_id: int) -> None:
    await _tell_deciders(await objection_by_id(objection_id), "late", admins=True)


async def decided(objection_id: int) -> None:
    row = await objection_by_id(objection_id)
    await notify(
        row["member_id"],
        "objection_decided",
        source=f"objection:{objection_id}:decided",
        url=why_address(row["order_ref"], row["store_slug"]),
        data={"order": row["number"] or row["order_ref"], "store": row["store_name"], "state": state_of(row)},
    )


async def _tell_deciders(row: asyncpg.Record, what: str, *, admins: bool = False) -> None:
    """The store's owner; the admins when there is none, when the owner is concerned, or when it is late."""
    concerned = people_in(row)
    wants_admins = admins or row["owner_id"] is None or row["owner_id"] in concerned
    people = await db.fetch(
        """SELECT id FROM member WHERE id <> ALL($1::bigint[]) AND (id = $2 OR ($3 AND role = 'admin'))
            ORDER BY id LIMIT $4""",
        [one for one in concerned if one],
        row["owner_id"],
        wants_admins,
        MOST_TOLD,
    )
    data = {
        "order": row["number"] or row["order_ref"],
        "store": row["store_name"],
        "member": row["handle"],
        "what": what,
    }
    for one in people:
        url = f"/admin/programs/{row['store_slug']}/objections"
        await notify(one["id"], "objection_raised", source=f"objection:{row['id']}:{what}", url=url, data=data)
