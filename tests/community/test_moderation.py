import asyncio
from typing import NamedTuple

import pytest

from app import db
from app.db import watch_queries
from tests.community.test_topics import a_reply, a_topic, in_group
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio


async def flag(web: Browser, who: Person, subject: str, reason: str = "spam", **more):
    return await web(token=who.token).post("/api/v1/flags", json={"subject": subject, "reason": reason, **more})


class Scene(NamedTuple):
    """Alice's group, Bob's bad post in her topic, and Mod who looks after things."""

    alice: Person
    bob: Person
    mod: Person
    topic: dict
    post_id: str


async def a_scene(web: Browser) -> Scene:
    alice, bob, mod = await a_member("alice"), await a_member("bob"), await a_member("mod", role="moderator")
    slug = await a_group(alice)
    await in_group(bob, slug)
    topic = await a_topic(web, alice, slug)
    post = await a_reply(web, bob, topic["id"], "Cheap pills at [my shop](https://spam.example)!")
    await run_jobs()
    return Scene(alice, bob, mod, topic, post["id"])


async def decide(web: Browser, who: Person, case_id: int, verdict: str, reason: str = "Advertising"):
    browser = await sign_in(web(), who)
    return await submit(
        browser, f"/moderation/cases/{case_id}/verdict", {"verdict": verdict, "reason": reason}, page="/moderation/"
    )


async def the_case() -> int:
    return await db.fetch_val("SELECT max(id) FROM moderation_case")


# --- the story ---


async def test_a_report_leads_to_a_hidden_post_a_told_author_and_a_line_in_the_public_log(web: Browser):
    scene = await a_scene(web)
    reporter = await sign_in(web(), scene.alice)
    form = await reporter.get(f"/report?subject=post:{scene.post_id}")
    assert "Cheap pills" in form.text
    sent = await submit(
        reporter,
        f"/report?subject=post:{scene.post_id}",
        {"subject": f"post:{scene.post_id}", "reason": "spam", "note": "Sells pills"},
    )
    assert sent.status_code == 303 and sent.headers["location"] == f"{scene.topic['url']}#post-2"
    moderator = await sign_in(web(), scene.mod)
    queue = (await moderator.get("/moderation/")).text
    assert "https://spam.example" in queue and "Sells pills" in queue and "@alice" in queue and "bob" in queue
    case_id = await the_case()
    done = await submit(
        moderator,
        f"/moderation/cases/{case_id}/verdict",
        {"verdict": "hide", "reason": "Advertising without saying so"},
        page="/moderation/",
    )
    assert done.status_code == 303
    await run_jobs()
    shown = (await web().get(scene.topic["url"])).text
    assert "Cheap pills" not in shown and "Hidden by a moderator: Advertising without saying so" in shown
    assert "Cheap pills" in (await (await sign_in(web(), scene.bob)).get(scene.topic["url"])).text
    by_program = (await web().get(f"/api/v1/topics/{scene.topic['id']}/posts")).json()["items"][1]
    assert by_program["html"] is None and by_program["hidden"] == "Advertising without saying so"
    log = (await web().get("/moderation/log")).text
    assert "Advertising without saying so" in log and "alice" not in log and "Cheap pills" not in log
    told = (await (await sign_in(web(), scene.bob)).get("/notifications/")).text
    assert "A moderator hid something of yours: Advertising without saying so" in told
    assert "What you reported was hidden" in (await reporter.get("/notifications/")).text
    assert "alice" not in told.split('id="main"')[1].split("<footer")[0]


async def test_a_restored_post_is_back_and_its_author_hears_of_it(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    case_id = await the_case()
    await decide(web, scene.mod, case_id, "hide")
    moderator = await sign_in(web(), scene.mod)
    answer = await submit(
        moderator,
        f"/moderation/cases/{case_id}/restoration",
        {"reason": "We were too quick"},
        page=f"/moderation/cases/{case_id}",
    )
    assert answer.status_code == 303
    await run_jobs()
    assert "Cheap pills" in (await web().get(scene.topic["url"])).text
    assert (
        "restored something of yours: We were too quick"
        in (await (await sign_in(web(), scene.bob)).get("/notifications/")).text
    )
    log = (await web().get(f"/moderation/log?subject=post:{scene.post_id}")).text
    assert log.index("We were too quick") < log.index("Advertising")
    again = await submit(
        moderator,
        f"/moderation/cases/{case_id}/restoration",
        {"reason": "Once more"},
        page=f"/moderation/cases/{case_id}",
    )
    assert again.status_code in (403, 409)


async def test_a_kept_post_stays_and_only_the_reporter_hears_why(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    await decide(web, scene.mod, await the_case(), "keep", "An honest opinion")
    await run_jobs()
    assert "Cheap pills" in (await web().get(scene.topic["url"])).text
    kinds = {
        row["member_id"]: row["kind"]
        for row in await db.fetch("SELECT member_id, kind FROM notification WHERE kind LIKE '%kept'")
    }
    assert kinds == {scene.alice.id: "report_kept"}
    assert (await flag(web, scene.alice, f"post:{scene.post_id}")).status_code == 201
    assert await db.fetch_val("SELECT count(*) FROM moderation_case WHERE state = 'open'") == 1


async def test_a_topic_whose_first_post_is_hidden_leaves_the_lists(web: Browser):
    scene = await a_scene(web)
    first = await db.fetch_val("SELECT id FROM post WHERE number = 1")
    slug = scene.topic["url"].split("/")[2]
    await flag(web, scene.bob, f"post:{first}")
    await decide(web, scene.mod, await the_case(), "hide")
    assert "Boots or shoes?" not in (await web().get(f"/g/{slug}")).text
    assert (await web().get(f"/api/v1/groups/{slug}/topics")).json()["items"] == []
    assert (await web().get(scene.topic["url"])).status_code == 200
    report = await (await sign_in(web(), scene.bob)).get(f"/report?subject=topic:{scene.topic['id']}")
    assert "Boots or shoes?" in report.text and "Wet rock." not in report.text


async def test_a_hidden_topic_is_gone_for_others_but_not_for_its_author(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.bob, f"topic:{scene.topic['id']}")
    await decide(web, scene.mod, await the_case(), "hide", "A scam")
    gone = await web().get(scene.topic["url"])
    assert gone.status_code == 410 and "A scam" in gone.text
    assert (await (await sign_in(web(), scene.alice)).get(scene.topic["url"])).status_code == 200
    refused = await web(token=scene.bob.token).post(f"/api/v1/topics/{scene.topic['id']}/posts", json={"body": "x"})
    assert refused.status_code == 410


async def test_a_hidden_post_is_not_changed_reacted_to_or_reported_again(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    await decide(web, scene.mod, await the_case(), "hide")
    assert (await flag(web, scene.alice, f"post:{scene.post_id}")).status_code == 404
    assert (await web(token=scene.alice.token).put(f"/api/v1/posts/{scene.post_id}/reactions/👍")).status_code == 404
    author = await sign_in(web(), scene.bob)
    changed = await submit(author, f"/posts/{scene.post_id}/edit", {"body": "Other words"}, page=scene.topic["url"])
    assert changed.status_code == 403
    assert (await web().get(f"/subject/post:{scene.post_id}")).status_code == 404


async def test_a_hidden_member_is_suspended_until_restored(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"member:{scene.bob.id}", "abuse")
    case_id = await the_case()
    await decide(web, scene.mod, case_id, "hide", "Threats")
    assert (await web(token=scene.bob.token).get(f"/api/v1/topics/{scene.topic['id']}")).status_code == 401
    moderator = await sign_in(web(), scene.mod)
    await submit(
        moderator,
        f"/moderation/cases/{case_id}/restoration",
        {"reason": "Said sorry"},
        page=f"/moderation/cases/{case_id}",
    )
    assert (await web(token=scene.bob.token).get(f"/api/v1/topics/{scene.topic['id']}")).status_code == 200


# --- who may ---


async def test_only_moderators_see_the_queue(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    case_id = await the_case()
    assert (await web().get("/moderation/")).status_code == 303
    member = await sign_in(web(), scene.bob)
    for door in ("/moderation/", "/moderation/decided", f"/moderation/cases/{case_id}"):
        assert (await member.get(door)).status_code == 403
    refused = await submit(
        member, f"/moderation/cases/{case_id}/verdict", {"verdict": "hide", "reason": "Mine"}, page=scene.topic["url"]
    )
    assert refused.status_code == 403
    assert await db.fetch_val("SELECT state FROM moderation_case") == "open"
    assert (await web().get("/moderation/log")).status_code == 200


async def test_nobody_reports_what_they_may_not_read(web: Browser):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    slug = await a_group(alice, visibility="secret")
    topic = await a_topic(web, alice, slug)
    post_id = await db.fetch_val("SELECT id FROM post")
    for subject in (f"post:{post_id}", f"topic:{topic['id']}", "post:999999", "review:999999"):
        assert (await flag(web, charlie, subject)).status_code == 404
    for nonsense in ("post:", "post:x", "nothing:1", "", "post:1; DROP TABLE flag", "post:١", "post:" + "9" * 30):
        assert (await flag(web, charlie, nonsense)).status_code == 422
    assert (await web().post("/api/v1/flags", json={"subject": "post:1", "reason": "spam"})).status_code == 401
    assert await db.fetch_val("SELECT count(*) FROM moderation_case") == 0


async def test_the_log_gives_nothing_of_a_secret_group_away(web: Browser):
    alice, mod = await a_member("alice"), await a_member("mod", role="moderator")
    slug = await a_group(alice, "secret-circle", visibility="secret", name="The secret circle")
    topic = await a_topic(web, alice, slug, "A private matter", "Private words")
    await flag(web, alice, f"topic:{topic['id']}", "other")
    assert "Private words" in (await (await sign_in(web(), mod)).get("/moderation/")).text
    await decide(web, mod, await the_case(), "hide", "Breaks our rules")
    log = (await web().get("/moderation/log")).text
    for secret in ("secret-circle", "private", "Private words", "alice"):
        assert secret not in log


async def test_a_moderator_does_not_judge_their_own_words_nor_suspend_an_admin(web: Browser):
    alice, mod, boss = (
        await a_member("alice"),
        await a_member("mod", role="moderator"),
        await a_member("b0ss", role="admin"),
    )
    slug = await a_group(mod)
    topic = await a_topic(web, mod, slug)
    await flag(web, alice, f"topic:{topic['id']}")
    assert (await decide(web, mod, await the_case(), "keep")).status_code == 403
    await flag(web, alice, f"member:{boss.id}")
    assert (await decide(web, mod, await the_case(), "hide")).status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM moderation_case WHERE state = 'open'") == 2
    assert await db.fetch_val("SELECT count(*) FROM suspension") == 0


# --- many at once, twice, too much ---


async def test_many_reports_make_one_case(web: Browser):
    scene = await a_scene(web)
    people = [await a_member() for _ in range(6)]
    answers = await asyncio.gather(*(flag(web, one, f"post:{scene.post_id}") for one in people * 2))
    assert {answer.status_code for answer in answers} == {201}
    assert await db.fetch_val("SELECT count(*) FROM moderation_case") == 1
    assert await db.fetch_val("SELECT count(*) FROM flag") == 6
    assert "6 reports" in (await (await sign_in(web(), scene.mod)).get("/moderation/")).text


async def test_two_moderators_at_once_and_one_decides(web: Browser):
    scene = await a_scene(web)
    other = await a_member("mod2", role="moderator")
    await flag(web, scene.alice, f"post:{scene.post_id}")
    case_id = await the_case()
    from app.errors import Conflict
    from community.moderation.service import hide, keep

    outcomes = await asyncio.gather(
        hide(scene.mod.viewer, case_id, "Advertising"), keep(other.viewer, case_id, "Fine"), return_exceptions=True
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [Conflict.__name__, "NoneType"]
    assert await db.fetch_val("SELECT count(*) FROM modlog_entry") == 1


async def test_a_decision_needs_a_reason_and_keeps_what_was_typed(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    case_id = await the_case()
    for reason in ("", "  ", "x", "y" * 501):
        answer = await decide(web, scene.mod, case_id, "hide", reason)
        assert answer.status_code == 422
    assert (await decide(web, scene.mod, case_id, "burn")).status_code == 422
    assert await db.fetch_val("SELECT count(*) FROM hiding") == 0
    assert (await decide(web, scene.mod, 999_999, "hide")).status_code == 404


async def test_a_flood_of_reports_is_slowed_down(web: Browser):
    scene = await a_scene(web)
    answers = [await flag(web, scene.alice, f"post:{scene.post_id}") for _ in range(32)]
    assert {answer.status_code for answer in answers[:30]} == {201}
    assert answers[-1].status_code == 429


async def test_unknown_fields_and_too_long_notes_are_named(web: Browser):
    scene = await a_scene(web)
    assert (await flag(web, scene.alice, f"post:{scene.post_id}", urgent=True)).status_code == 422
    assert (await flag(web, scene.alice, f"post:{scene.post_id}", note="x" * 3000)).status_code == 422
    assert (await flag(web, scene.alice, f"post:{scene.post_id}", "")).status_code == 422
    with_nul = await flag(web, scene.alice, f"post:{scene.post_id}", "other", note="a\0b")
    assert with_nul.status_code == 201
    assert await db.fetch_val("SELECT note FROM flag") == "ab"


async def test_the_queue_costs_the_same_however_long_it_is(web: Browser):
    scene = await a_scene(web)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    moderator = await sign_in(web(), scene.mod)
    with watch_queries() as few:
        await moderator.get("/moderation/")
    for _ in range(4):
        reply = await a_reply(web, scene.bob, scene.topic["id"])
        await flag(web, scene.alice, f"post:{reply['id']}")
    with watch_queries() as many:
        await moderator.get("/moderation/")
    assert len(few) == len(many) == 3


async def test_every_kind_of_subject_can_be_looked_up(web: Browser):
    """The query of each kind runs, also those of features above."""
    from community.moderation.schemas import KINDS
    from frontend.pages.subjects import ADDRESSES, SQL

    alice = await a_member("alice")
    assert set(SQL) == set(ADDRESSES) == set(KINDS)
    for kind in KINDS:
        assert (await flag(web, alice, f"{kind}:424242")).status_code == 404
    assert (await web().get(f"/subject/member:{alice.id}")).headers["location"] == "/@alice"
