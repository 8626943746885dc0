"""Carol, in none of Ada's groups, asks to talk to her; Ada, Bob and Dora have a circle; Dora may be blocked."""

import uuid

from community.direct import service
from community.groups import service as groups
from tests.factories import Person, a_member


async def direct_at_coffee(ada: Person, bob: Person) -> dict[str, str]:
    carol, dora = await a_member("carol-o"), await a_member("dora-o")
    await groups.join(dora.viewer, "coffee")
    asked = await service.begin(carol.viewer, [ada.handle], uuid.uuid4(), "Is the grinder still for sale?")
    circle = await service.begin(ada.viewer, [bob.handle, dora.handle], uuid.uuid4(), "Who comes?", "Roastery trip")
    return {"request_id": asked.room, "circle_id": circle.room, "other_handle": dora.handle}
