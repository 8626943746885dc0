"""What the examples of codes, overrides and replays speak of, in the world of tests/api_world.py."""

from typing import Any

from app import db
from referrals.simulator.schemas import Draft, Rehearsal
from referrals.simulator.service import rehearse
from tests.factories import Person, a_member, run_jobs
from tests.referrals.cast import tell
from tests.storefront.shop import Shop, order


async def crediting_at_north(web: Any, shop: Shop, ada: Person, bob: Person) -> dict[str, str]:
    """A code, an override that waits for a second person, and a replay; by the names their addresses use."""
    root = await a_member("root-o", role="admin")
    await run_jobs()
    as_ada = web(token=ada.token)
    code = await as_ada.post("/api/v1/stores/north/codes", json={"code": "FRIEND-OF-BOB", "owner": bob.handle})
    wanted = {"order": "1001", "winner": bob.handle, "reason": "They met at our stand."}
    override = await web(token=root.token).post("/api/v1/stores/north/overrides", json=wanted)
    await tell(web, shop, "order.paid", order("1002"))
    simulation_id = await rehearse(ada.viewer, "north", Rehearsal(Draft()))
    # A code to switch off, another to enter: switching off comes last.
    spare = await db.fetch_val("SELECT id FROM code WHERE owner_id = $1 AND kind = 'personal' ORDER BY id", bob.id)
    assert code.status_code == 201 and override.status_code == 201
    return {"code_id": str(spare), "override_id": override.json()["id"], "simulation_id": str(simulation_id)}
