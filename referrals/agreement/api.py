from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.openapi import door
from app.paging import cut, decode, limit_of
from referrals.agreement import examples, service
from referrals.agreement.schemas import ChangeList, ChangeView
from storefront.stores.policy import access_own_store


class ChangeApi(Controller):
    path = "/stores/{slug:str}/changes"
    tags = ["earn"]

    @get(
        summary="What waits for a second person, and what was decided",
        opt=door(gives=examples.changes, scope="read"),
    )
    async def index(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> ChangeList:
        """Where a store wants two people for what it pays. They agree on its pages, each signed in as themselves."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        most = limit_of(limit, 50)
        rows = await service.changes_of(store, most + 1, decode(after, (bool, int)))
        page = cut(rows, most, lambda change: (change[0]["state"] == "waiting", change[0]["id"]))
        return ChangeList(
            await service.asks_for_two(store["id"]),
            [
                ChangeView(
                    str(row["id"]),
                    row["kind"],
                    said,
                    row["state"],
                    row["proposer"],
                    row["proposed_at"],
                    row["decider"] or "",
                    row["reason"],
                )
                for row, said in page.items
            ],
            page.next,
        )
