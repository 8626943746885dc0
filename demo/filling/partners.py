"""How one becomes Northfold's partner, who asks to, what is written about it, and a campaign with fees."""

from datetime import timedelta

from app import clock, db
from demo.filling.rows import Filling
from demo.filling.trade import Deed
from referrals.campaigns import service as campaigns
from referrals.campaigns.queries import access_campaign
from referrals.campaigns.schemas import NewCampaign, NewOffer, Verdict, Work
from referrals.partners import applying, crm
from referrals.partners.schemas import FormTold, NewAsset, NewInvite, Question

DAY, HOUR = 86400, 3600
STORE, OWNER, CURRENCY = "demo", "ines", "USD"
QUESTIONS = [
    Question("Where do you talk about things? 你在哪里分享？", "url", is_required=True),
    Question("What would you never recommend?", "long"),
    Question("How often do you post?", "choice", options=("every day", "every week", "now and then")),
]


def deeds() -> list[Deed]:
    return [
        (58 * DAY, _open_the_form),
        (57 * DAY, _keep_words_about_partners),
        (40 * DAY, _ask_and_be_declined),
        (28 * DAY, _plan_a_campaign),
        (27 * DAY, _answer_the_offers),
        (17 * DAY, _hand_in_work),
        (16 * DAY, _pay_a_milestone),
        (14 * DAY, _hand_in_more),
        (3 * DAY, _ask_to_become_partners),
        (2 * DAY, _write_to_each_other),
    ]


async def _open_the_form(f: Filling) -> None:
    welcome = "We look for people who use things until they break. You may say what is bad about ours."
    await applying.set_form(f.viewer(OWNER), STORE, FormTold(True, welcome, 0, QUESTIONS))
    program_id = await _program(f)
    owner = f.viewer(OWNER)
    texts = (
        NewAsset("text", "The pack in one sentence", "28 litres, 890 g, a zip you can mend yourself."),
        NewAsset("text", "一句话介绍背包", "二十八升，八百九十克，拉链坏了自己能修。"),
        NewAsset("page", "How we make it", "https://northfold.example/how-it-is-made"),
    )
    for asset in texts:
        await crm.add_asset(owner, program_id, asset)
    until = f"{f.now + timedelta(days=60):%Y-%m-%d}"
    await crm.invite(owner, program_id, NewInvite("For the hut wardens", "Trail", 20, until))


async def _keep_words_about_partners(f: Filling) -> None:
    program_id = await _program(f)
    for handle, tags in (("linwei", "packs, 中文, video"), ("kirsten", "tents, film"), ("mara", "newsletter, repair")):
        await crm.set_tags(program_id, f.members[handle], tags)
    said = "Asks before she posts. Sends people who keep what they buy."
    await crm.note(f.viewer(OWNER), program_id, f.members["linwei"], said)


async def _ask_and_be_declined(f: Filling) -> None:
    answers = ["https://coupons.example/paulo", "", "every day"]
    await applying.apply(f.viewer("paulo"), STORE, answers)
    reason = "Lists of codes do not help people choose. Write about what you cook on, and ask again."
    await applying.decide(f.viewer(OWNER), STORE, "paulo", "declined", reason=reason)


async def _ask_to_become_partners(f: Filling) -> None:
    """Two have been here for long; whoever came last looks riskier, and says less."""
    newest = min((one for one in f.content.members if one.ago > 4 * DAY), key=lambda one: one.ago)
    told = {
        "annika": ["https://bikes.example/annika", "Anything with a battery I cannot change.", "every week"],
        "chenyu": ["https://stars.example/chenyu", "不推荐一次性的东西。", "now and then"],
        newest.handle: ["https://video.example/new", "", "every day"],
    }
    for handle, answers in told.items():
        await applying.apply(f.viewer(handle), STORE, answers)


async def _write_to_each_other(f: Filling) -> None:
    member_id = f.members["linwei"]
    words = "The mist shell comes back in green on Thursday. Would you like one to cut open?"
    await crm.write(f.viewer(OWNER), STORE, member_id, words, is_from_store=True)
    await crm.write(f.viewer("linwei"), STORE, member_id, "Yes please! 剪开之前先穿两个周末。", is_from_store=False)


async def _plan_a_campaign(f: Filling) -> None:
    owner = f.viewer(OWNER)
    planned = NewCampaign(
        "Nights out before the frost",
        "One film and one honest list each. Say what you would leave at home.",
        f"{clock.now():%Y-%m-%d}",
        f"{f.now + timedelta(days=20):%Y-%m-%d}",
        CURRENCY,
        "600",
        "fell-two-door-tent\nkestrel-quilt-5\ntarn-folding-mat\ntarp-three-by-three",
    )
    campaign = await access_campaign(owner, STORE, await campaigns.plan(owner, STORE, planned))
    due = f"{f.now + timedelta(days=10):%Y-%m-%d}"
    film, listed = "A film of one night", "A packing list with reasons"
    await campaigns.offer(owner, campaign, NewOffer("kirsten", "13", [film, listed], ["150", "60"], [due, due]))
    await campaigns.offer(owner, campaign, NewOffer("linwei", "", [film], ["180"], [due]))
    await campaigns.offer(owner, campaign, NewOffer("mara", "9", [listed], ["60"], [due]))


async def _answer_the_offers(f: Filling) -> None:
    """Mara leaves hers open: it waits on her page."""
    for handle in ("kirsten", "linwei"):
        await campaigns.answer(f.viewer(handle), await _contract(f, handle), takes=True)


async def _hand_in_work(f: Filling) -> None:
    work = Work("https://video.example/kirsten/one-night", "Minus four, and the mat was the hero.")
    await campaigns.hand_in(f.viewer("kirsten"), await _milestone(f, "kirsten"), work)


async def _pay_a_milestone(f: Filling) -> None:
    campaign = await access_campaign(f.viewer(OWNER), STORE, await db.fetch_val("SELECT id FROM campaign"))
    verdict = Verdict("approved", "Exactly this.")
    await campaigns.decide(f.viewer(OWNER), campaign, await _milestone(f, "kirsten"), verdict)


async def _hand_in_more(f: Filling) -> None:
    work = Work("https://video.example/linwei/yi-ye", "零下四度，睡得很好，帐篷门的拉链会卡。")
    await campaigns.hand_in(f.viewer("linwei"), await _milestone(f, "linwei"), work)


async def _program(f: Filling) -> int:
    program_id: int = await db.fetch_val("SELECT id FROM program WHERE store_id = $1", f.stores[STORE])
    return program_id


async def _contract(f: Filling, handle: str) -> int:
    contract_id: int = await db.fetch_val("SELECT id FROM campaign_contract WHERE member_id = $1", f.members[handle])
    return contract_id


async def _milestone(f: Filling, handle: str) -> int:
    milestone_id: int = await db.fetch_val(
        "SELECT id FROM campaign_milestone WHERE contract_id = $1 ORDER BY id LIMIT 1", await _contract(f, handle)
    )
    return milestone_id
