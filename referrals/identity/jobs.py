from app import db
from app.events import on
from community.notifications.service import notify
from referrals.identity.events import IdentityAsked, IdentityDecided

MOST_TOLD = 50


@on(IdentityAsked)
async def tell_the_stores_people(event: IdentityAsked) -> None:
    """The owner; the admins where there is none, or where it is the owner who asks."""
    rows = await db.fetch(
        """SELECT w.id, s.slug, s.name, m.handle, r.asked_at FROM store s JOIN member m ON m.id = $2
             JOIN identity_request r ON r.id = $3
             JOIN member w ON w.id <> m.id AND (w.id = s.owner_id
                           OR (w.role = 'admin' AND (s.owner_id IS NULL OR s.owner_id = m.id)))
            WHERE s.id = $1 ORDER BY w.id LIMIT $4""",
        event.store_id,
        event.member_id,
        event.request_id,
        MOST_TOLD,
    )
    for row in rows:
        await notify(
            row["id"],
            "identity_asked",
            source=f"identity:{event.request_id}:{row['asked_at']:%Y%m%d}",
            url=f"/admin/programs/{row['slug']}/identity",
            data={"member": row["handle"], "store": row["name"]},
        )


@on(IdentityDecided)
async def tell_the_member(event: IdentityDecided) -> None:
    store = await db.fetch_one("SELECT slug, name FROM store WHERE id = $1", event.store_id)
    assert store is not None
    await notify(
        event.member_id,
        "identity_decided",
        source=f"identity:check:{event.check_id}",
        url=f"/earn/identity/{store['slug']}",
        data={"store": store["name"], "result": event.result},
    )
