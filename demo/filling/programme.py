"""What Northfold's owner and the people who share for it did about the programme, each on its day."""

from datetime import timedelta

from app import clock, db
from app.money import Money
from demo.content.staged import CAMPAIGN_CODE
from demo.filling.rows import Filling
from demo.filling.trade import Deed
from referrals.attribution.overrides import NewOverride, propose
from referrals.bounties.schemas import BountyOffer, NewSubmission, Verdict
from referrals.bounties.service import decide as decide_bounty
from referrals.bounties.service import hand_in, offer
from referrals.codes.schemas import NewCode
from referrals.codes.service import make_campaign_code
from referrals.commissions.limits import set_budget
from referrals.earn.goals import set_goal, take_seat
from referrals.partners.service import agree_rate, set_tier
from referrals.programs.policy import Policy
from referrals.programs.queries import program_of
from referrals.programs.service import publish_rules
from referrals.programs.terms import Exclusion, Friend, Release, Rule, Terms
from referrals.simulator.schemas import Draft, Rehearsal
from referrals.simulator.service import rehearse

DAY, HOUR = 86400, 3600
STORE, CURRENCY, OWNER = "demo", "USD", "ines"
BUDGET = "Autumn tents"
TERMS = Terms(
    currency=CURRENCY,
    rules=[
        Rule("Tents before the winter", "category", "Tents and tarps", rate_bps=1200, budget=BUDGET),
        Rule("Clothing, for trail partners", "category", "Clothing", rate_bps=1000, tier="Trail"),
    ],
    deny=[Exclusion("product", "NF-REP-WB")],
    friend=Friend("percent", rate_bps=300),
    release=Release("delivered", days=14, fallback_days=45),
)
# Whoever wrote the guide or review that a link shows gets a part, also when somebody else shares it.
POLICY = Policy(assist_bps={"author": 1500}, second_approver_from=2_000)


def deeds() -> list[Deed]:
    return [
        (62 * DAY, _publish_terms),
        (61 * DAY, _open_budget),
        (60 * DAY, _name_partners),
        (59 * DAY, _make_code),
        (33 * DAY, _offer_bounties),
        (25 * DAY, _hand_in),
        (24 * DAY, _pay_bounty),
        (3 * DAY, _name_who_told),
        (2 * DAY, _rehearse),
        (20 * DAY, _set_goals),
    ]


async def _publish_terms(f: Filling) -> None:
    await publish_rules(STORE, terms=TERMS, policy=POLICY, actor_id=f.members[OWNER])


async def _open_budget(f: Filling) -> None:
    program = await program_of(f.stores[STORE])
    assert program is not None
    await set_budget(program["id"], BUDGET, 15_000, CURRENCY, actor_id=f.members[OWNER])


async def _name_partners(f: Filling) -> None:
    owner = f.viewer(OWNER)
    for handle in ("linwei", "kirsten", "mara"):
        await set_tier(STORE, handle, "Trail", owner)
    until = clock.now() + timedelta(days=240)
    await agree_rate(STORE, "jonas", 950, until, owner, note="Moderates the boot thread for us until spring")


async def _make_code(f: Filling) -> None:
    await make_campaign_code(f.viewer(OWNER), STORE, NewCode(CAMPAIGN_CODE, "kirsten", limit_total=300))


async def _offer_bounties(f: Filling) -> None:
    owner = f.viewer(OWNER)
    film = BountyOffer(
        "One minute with the pack in the rain",
        "Show the roll top, the hip belt and what got wet. Say what you did not like. 中文或英文都可以。",
        Money(120_00, CURRENCY),
        # Weeks after the demo is opened, so that it can be tried.
        closes_at=f.now + timedelta(days=40),
        most_awards=3,
        metric="views",
        least=1_000,
    )
    await offer(owner, STORE, film)


async def _hand_in(f: Filling) -> None:
    bounty_id = await db.fetch_val("SELECT id FROM bounty")
    films = {
        "kirsten": ("https://video.example/kirsten/rain", "Two hours on Stormyra. The side pockets fill up.", 2_300),
        "linwei": ("https://video.example/linwei/yu", "雨里走了三个小时，顶盖没进水，腰带口袋进了。", 8_100),
    }
    for handle, (where, note, reach) in films.items():
        await hand_in(f.viewer(handle), bounty_id, NewSubmission(where, note, reach))


async def _pay_bounty(f: Filling) -> None:
    submission_id = await db.fetch_val("SELECT id FROM bounty_submission WHERE member_id = $1", f.members["kirsten"])
    await decide_bounty(
        f.viewer(OWNER), STORE, submission_id, Verdict("approved", "Honest about the pockets. Thank you.")
    )


async def _name_who_told(f: Filling) -> None:
    """Above the threshold a second person has to agree; until then the facts decide."""
    told = NewOverride(
        f.order("told-at-the-door").id, "kirsten", "The buyer wrote that Kirsten told her about the quilt at the hut."
    )
    await propose(f.viewer(OWNER), STORE, told)


async def _rehearse(f: Filling) -> None:
    """What if the first click counted, and authors got more? Nothing is published by asking."""
    draft = Draft(window_days=30, model="first", assist_bps={"author": 2500})
    await rehearse(f.viewer(OWNER), STORE, Rehearsal(draft, days=30))


async def _set_goals(f: Filling) -> None:
    for handle, currency, amount in (("linwei", "USD", 30_000), ("linwei", "CNY", 20_000), ("mara", "USD", 6_000)):
        await set_goal(f.viewer(handle), currency, amount)
    for handle in ("linwei", "kirsten", "mara", "jonas", "callum"):
        await take_seat(f.viewer(handle))
