"""What a store pays: its owner sets the rules, and each order keeps those it was told under."""

import pytest

from tests.factories import Browser, a_member, sign_in
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import a_shop

pytestmark = pytest.mark.anyio


async def test_only_its_owner_and_admins_see_a_stores_programme(web: Browser):
    owner, admin, stranger = await a_member("ona"), await a_member("ada", role="admin"), await a_member("sam")
    await a_shop("south", owner_id=owner.id)
    await a_paying_shop("north")
    seen = await (await sign_in(web(), owner)).get("/admin/programs")
    assert "South" in seen.text and "North" not in seen.text
    everything = await (await sign_in(web(), admin)).get("/admin/programs")
    assert "South" in everything.text and "North" in everything.text
    assert (await (await sign_in(web(), owner)).get("/admin/programs/south")).status_code == 200
    assert (await (await sign_in(web(), stranger)).get("/admin/programs/south")).status_code == 403
    assert (await web().get("/admin/programs/south")).status_code in (302, 303, 401)
    assert (await (await sign_in(web(), owner)).get("/admin/programs/nowhere")).status_code == 404
