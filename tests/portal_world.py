"""Bob asked to become a partner of the shop "north", which has planned a campaign and offers a bounty; Ada, whose shop
it is, has a channel elsewhere."""

from datetime import timedelta

from app import clock, db
from referrals.bounties import examples as bounty_examples
from referrals.bounties import service as bounties
from referrals.bounties.schemas import NewSubmission
from referrals.campaigns.schemas import NewCampaign
from referrals.campaigns.service import plan
from referrals.partners import applying, examples
from referrals.socials import service as socials
from tests.factories import Person


async def portal_at_north(ada: Person, bob: Person) -> dict[str, str]:
    await applying.set_form(ada.viewer, "north", examples.form_told)
    await db.execute("UPDATE partner_form SET auto_below = 0")
    await applying.apply(bob.viewer, "north", examples.application.answers)
    until = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    new = NewCampaign("Spring", "", f"{clock.now():%Y-%m-%d}", until, "USD", "100")
    bounty_id = await bounties.offer(ada.viewer, "north", bounty_examples.offer)
    work = NewSubmission("https://films.example/42", reach=1_200)
    return {
        "handle": bob.handle,
        "campaign_id": str(await plan(ada.viewer, "north", new)),
        "currency": "USD",
        "account_id": str(await socials.ask_for(ada.viewer, "https://bsky.app/profile/ada.example")),
        "bounty_id": str(bounty_id),
        "submission_id": str(await bounties.hand_in(bob.viewer, bounty_id, work)),
    }
