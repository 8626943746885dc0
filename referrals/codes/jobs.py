from app import db
from app.events import on, within
from app.jobs import Work, enqueue_one, every, job
from community.notifications.service import notify
from referrals.codes import queries, service, shops
from referrals.codes.events import CodeLeaked, CodesAwaitShop, CodeUsed
from referrals.links.events import LinkMade
from referrals.programs.events import ProgramPublished
from referrals.programs.policy import policy_of


@within(LinkMade)
async def give_codes_with_the_personal_link(event: LinkMade) -> None:
    """In the commit that makes the personal link, which is that of the sign-up."""
    if await queries.is_personal_link(event.link_id):
        await service.give_personal_codes(event.owner_id)


@on(ProgramPublished)
async def give_everybody_a_code(event: ProgramPublished) -> None:
    await service.give_everybody_a_code(await queries.program_of(event.store_id))


@on(CodeUsed)
async def watch_for_leaks(event: CodeUsed) -> None:
    rules = await queries.leak_rules_of(event.code_id)
    if event.is_cold and rules is not None:
        await service.judge(event.code_id, policy_of(rules).leak)


@on(CodeLeaked)
async def tell_the_owner(event: CodeLeaked) -> None:
    told = await queries.codes_by_id([event.code_id, event.new_code_id])
    data = {"old": told[event.code_id]["text"], "new": told[event.new_code_id]["text"]}
    await notify(event.owner_id, "code_leaked", source=f"code:{event.code_id}:leaked", url="/earn/codes", data=data)


@on(CodesAwaitShop)
async def write_into_shop(event: CodesAwaitShop) -> None:
    await shops.push(event.store_id)


@every("41 * * * *")
async def write_what_is_missing() -> None:
    """What a shop was too busy for, and what begins today."""
    await _for_each_store(push_into_shop)


@every("23 2 * * *")
async def look_into_every_shop() -> None:
    await _for_each_store(look_into_shop)


@job
async def push_into_shop(payload: bytes) -> None:
    await shops.push(int(payload))


@job
async def look_into_shop(payload: bytes) -> None:
    await shops.look(int(payload))


async def _for_each_store(work: Work) -> None:
    """One job for each, so that one that hangs keeps nobody waiting."""
    async with db.transaction():
        for store_id in await shops.stores_that_want_codes():
            await enqueue_one(work, str(store_id).encode())
