"""More than one host: asked, there once they say yes, gone at the next request; each credited for what they held up."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict, Forbidden, Invalid, NotFound
from community.chat import measures
from community.chat.measures_schemas import NewMeasure
from community.groups import roles
from community.groups.service import join
from content.live_events import hosts, pins, polls, questions, segments, service
from content.live_events.schemas import LiveChange, NewLive, NewPin, NewPoll, NewSegment
from referrals.live_cards import service as live_cards
from referrals.live_cards.queries import sum_of
from tests.content.test_live import a_live, a_question, the_event
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, a_product, order

pytestmark = pytest.mark.anyio


async def along(host: Person, slug: str, *others: Person) -> None:
    for other in others:
        await hosts.invite(host.viewer, slug, other.handle)
        await hosts.accept(other.viewer, slug)


async def code_behind(slug: str, product: str) -> tuple[str, int]:
    """The link by which the newest card of this product leads, and whose it is."""
    row = await db.fetch_one(
        """SELECT l.code, l.owner_id FROM live_pin p JOIN live_event e ON e.id = p.event_id
             JOIN product x ON x.id = p.product_id JOIN live_pin_link c ON c.pin_id = p.id
             JOIN link l ON l.id = c.link_id
            WHERE e.slug = $1 AND x.slug = $2 ORDER BY p.id DESC LIMIT 1""",
        slug,
        product,
    )
    assert row is not None
    return row["code"], row["owner_id"]


async def sold(web: Browser, shop: Shop, gv: str, order_id: str) -> None:
    await tell(web, shop, "order.paid", order(order_id, gv=gv))


# --- asked, there, gone ---


async def test_who_is_asked_says_yes_and_runs_the_desk_without_any_script(web: Browser):
    await a_paying_shop()
    ines, kai = await a_member("ines", name="Ines"), await a_member("kai", name="Kai")
    slug = await a_live(ines, begun=False)
    hers, his = await sign_in(web(), ines), await sign_in(web(), kai)
    desk = f"/live/{slug}/desk"
    assert (await his.get(desk)).status_code == 403
    asked = await submit(hers, f"/live/{slug}/hosts", {"handle": "@Kai"}, page=desk)
    assert asked.status_code == 303 and "was asked" in (await hers.get(desk)).text
    assert "asks you to host “Moka night” along" in (await his.get("/notifications/")).text
    assert (await his.get(desk)).status_code == 403, "being asked opens nothing"
    assert "hosts along" not in (await web().get(f"/live/{slug}")).text, "nor is one named who has not said yes"
    said_yes = await submit(his, f"/live/{slug}/invitation", {"answer": "yes"}, page=f"/live/{slug}")
    assert said_yes.headers["location"] == desk and (await his.get(desk)).status_code == 200
    assert "hosts along" in (await web().get(f"/live/{slug}")).text
    assert "Your desk" in (await his.get("/live/")).text, "it is among those he hosts"
    await submit(his, f"/live/{slug}/state", {"state": "live"}, page=desk)
    held = await submit(his, f"/live/{slug}/pins", {"product": "trail-pack", "note": "I own it"}, page=desk)
    assert held.status_code == 303
    shown = (await web().get(f"/live/{slug}")).text
    assert "Held up by Kai" in shown and "Kai earns when you buy by these cards" in shown
    told = (await web(token=kai.token).get(f"/api/v1/live-events/{slug}")).json()
    assert told["cohosts"][0]["handle"] == "kai" and told["pins"][0]["credited"] == "kai"


async def test_a_cohost_runs_the_desk_but_the_event_stays_the_hosts(web: Browser):
    await a_paying_shop()
    ines, kai, bob = await a_member("ines"), await a_member("kai"), await a_member("bob")
    slug = await a_live(ines)
    question_id = await a_question(bob, slug, "Does it clog?")
    await along(ines, slug, kai)
    await questions.mark_answered(kai.viewer, slug, question_id)
    poll_id = await polls.open_poll(kai.viewer, slug, NewPoll("Which?", ["this", "that"]))
    await polls.close(kai.viewer, slug, poll_id)
    await segments.write(kai.viewer, slug, NewSegment("It does not."))
    for attempt in (
        service.change(kai.viewer, slug, LiveChange("Mine now", clock.now() + timedelta(hours=1))),
        service.cancel(kai.viewer, slug),
        hosts.invite(kai.viewer, slug, "bob"),
        hosts.remove(kai.viewer, slug, "ines"),
        hosts.decline(ines.viewer, slug),
    ):
        with pytest.raises(Forbidden):
            await attempt
    planned = await a_live(ines, "Next week", begun=False)
    await along(ines, planned, kai)
    with pytest.raises(Forbidden):
        await service.cancel(kai.viewer, planned)
    await service.end(kai.viewer, slug)


@pytest.mark.parametrize("how", ["removed", "stepped down", "left the group"])
async def test_who_hosts_no_longer_loses_the_desk_before_the_next_request(web: Browser, how: str):
    from community.groups.service import join, leave

    await a_paying_shop()
    ines, kai = await a_member("ines"), await a_member("kai")
    group = await a_group(ines)
    await join(kai.viewer, group)
    slug = await a_live(ines, group=group)
    await along(ines, slug, kai)
    his = await sign_in(web(), kai)
    assert (await his.get(f"/live/{slug}/desk")).status_code == 200
    if how == "removed":
        await hosts.remove(ines.viewer, slug, "kai")
    elif how == "stepped down":
        await hosts.decline(kai.viewer, slug)
    else:
        await leave(kai.viewer, group)
    assert (await his.get(f"/live/{slug}/desk")).status_code in (403, 404)
    assert (await his.get(f"/live/{slug}/desk/now")).status_code in (403, 404)
    with pytest.raises((Forbidden, NotFound)):
        await live_cards.pin(kai.viewer, slug, NewPin("trail-pack"))
    with pytest.raises(NotFound):
        await hosts.accept(kai.viewer, slug)


async def test_only_who_may_come_is_asked_and_only_who_is_asked_may_say_yes(web: Browser):
    ines, kai, cleo = await a_member("ines"), await a_member("kai"), await a_member("cleo")
    slug = await a_live(ines)
    secret = await a_live(ines, "Among us", group=await a_group(ines, visibility="secret"))
    with pytest.raises(NotFound):
        await hosts.accept(kai.viewer, slug)
    for wrong in ("nobody-here", "", "ines"):
        with pytest.raises(Invalid):
            await hosts.invite(ines.viewer, slug, wrong)
    with pytest.raises(Invalid):
        await hosts.invite(ines.viewer, secret, "kai")
    assert (await web(token=cleo.token).put("/api/v1/blocks/ines")).is_success
    with pytest.raises(Invalid):
        await hosts.invite(ines.viewer, slug, "cleo")
    await asyncio.gather(*(hosts.invite(ines.viewer, slug, "kai") for _ in range(4)))
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM live_invite") == 1
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'live_cohost'") == 1
    await hosts.remove(ines.viewer, slug, "kai")
    with pytest.raises(NotFound):
        await hosts.accept(kai.viewer, slug)
    for number in range(hosts.MOST_COHOSTS):
        await hosts.invite(ines.viewer, slug, (await a_member(f"helper{number}")).handle)
    with pytest.raises(Conflict):
        await hosts.invite(ines.viewer, slug, "kai")
    await service.end(ines.viewer, slug)
    with pytest.raises(Conflict):
        await hosts.accept((await a_member()).viewer, slug)


# --- whose sale it is ---


async def test_each_host_is_credited_for_what_they_held_up(web: Browser):
    shop = await a_paying_shop()
    await a_product(shop, "SKU-2", title="Hand grinder")
    ines, kai = await a_member("ines", name="Ines"), await a_member("kai", name="Kai")
    slug = await a_live(ines)
    await along(ines, slug, kai)
    await live_cards.pin(ines.viewer, slug, NewPin("trail-pack"))
    await live_cards.pin(kai.viewer, slug, NewPin("hand-grinder"))
    page = (await web().get(f"/live/{slug}")).text
    assert "Ines, Kai earn when you buy by these cards" in page
    assert "Held up by Ines" in page and "Held up by Kai" in page
    (hers, _ines), (his, owner) = await code_behind(slug, "trail-pack"), await code_behind(slug, "hand-grinder")
    assert owner == kai.id and f'href="/r/{hers}"' in page and f'href="/r/{his}"' in page
    await sold(web, shop, await click(web(), hers), "1001")
    assert await standing(ines) == {("pending", "USD"): 1_200} and await standing(kai) == {}
    await sold(web, shop, await click(web(), his), "1002")
    assert await standing(ines) == {("pending", "USD"): 1_200} and await standing(kai) == {("pending", "USD"): 1_200}
    event_id = await db.fetch_val("SELECT id FROM live_event")
    sums = [await sum_of(event_id, person.id) for person in (ines, kai)]
    assert [(one.visits, one.orders, one.earned[0].amount) for one in sums] == [(1, 1, 1_200), (1, 1, 1_200)]
    await books_are_right()


async def test_a_cohost_cannot_take_over_the_credit_of_what_another_held_up(web: Browser):
    shop = await a_paying_shop()
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_live(ines)
    first = await live_cards.pin(ines.viewer, slug, NewPin("trail-pack"))
    before = await code_behind(slug, "trail-pack")
    await along(ines, slug, kai)
    assert await live_cards.pin(kai.viewer, slug, NewPin("trail-pack", "Mine is better")) == first
    assert await code_behind(slug, "trail-pack") == before, "held up over it"
    await pins.unpin(kai.viewer, slug, first)
    assert await live_cards.pin(kai.viewer, slug, NewPin("trail-pack")) != first
    assert await code_behind(slug, "trail-pack") == before, "taken down and held up again"
    await sold(web, shop, await click(web(), before[0]), "1001")
    assert await standing(kai) == {} and await standing(ines) == {("pending", "USD"): 1_200}
    await books_are_right()


async def test_two_hosts_who_hold_up_the_same_thing_at_once_make_one_card_of_one_of_them(web: Browser):
    await a_paying_shop()
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_live(ines)
    await along(ines, slug, kai)
    made = await asyncio.gather(*(live_cards.pin(p.viewer, slug, NewPin("trail-pack")) for p in (ines, kai, ines, kai)))
    assert len(set(made)) == 1
    assert await db.fetch_val("SELECT count(*) FROM live_pin_link") == 1


async def test_what_a_former_cohost_held_up_is_the_hosts_once_it_is_held_up_anew(web: Browser):
    shop = await a_paying_shop()
    ines, kai = await a_member("ines"), await a_member("kai")
    slug = await a_live(ines)
    await along(ines, slug, kai)
    pin_id = await live_cards.pin(kai.viewer, slug, NewPin("trail-pack"))
    his, _owner = await code_behind(slug, "trail-pack")
    followed = await click(web(), his)
    await hosts.remove(ines.viewer, slug, "kai")
    assert f'href="/r/{his}"' in (await web().get(f"/live/{slug}")).text, "what hangs there hangs by his link"
    await pins.unpin(ines.viewer, slug, pin_id)
    await live_cards.pin(ines.viewer, slug, NewPin("trail-pack"))
    assert (await code_behind(slug, "trail-pack"))[1] == ines.id
    await sold(web, shop, followed, "1001")
    assert await standing(kai) == {("pending", "USD"): 1_200}, "who came by his card before is his"
    await books_are_right()


async def test_an_erased_cohost_is_gone_and_their_question_too(web: Browser):
    from app import people

    ines, kai, cleo = await a_member("ines"), await a_member("kai"), await a_member("cleo")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(hours=1)))
    await along(ines, slug, kai)
    await hosts.invite(ines.viewer, slug, "cleo")
    for person in (kai, cleo):
        await people.erase(person.handle)
    await run_jobs()
    assert (await the_event(slug, ines.viewer))["cohosts"] == []
    assert await db.fetch_val("SELECT count(*) FROM live_invite") == 0


async def test_who_hosts_shows_out_nobody_who_keeps_order_in_the_group(house: Callable):
    ines, bob, moe, ada = [await a_member(name) for name in ("ines", "bob", "moe", "ada")]
    group = await a_group(ada)
    for one in (ines, bob, moe):
        await join(one.viewer, group)
    await roles.give(ada.viewer, group, moe.id, "moderator")
    slug = await a_live(ines, group=group)
    await along(ines, slug, bob)
    room_id = (await the_event(slug, bob.viewer))["room_id"]
    for host in (ines, bob):
        for kind in ("ban", "silence"):
            with pytest.raises(Forbidden):
                await measures.take(host.viewer, room_id, NewMeasure(kind, member="moe", reason="Mine now"))
    assert not await db.fetch_val("SELECT count(*) FROM room_measure")
    await measures.take(ada.viewer, room_id, NewMeasure("ban", member="moe", reason="Enough"))
