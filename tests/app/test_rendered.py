from datetime import timedelta

import pytest

from app import clock, rendered
from app.db import watch_queries
from tests.community.test_moderation import a_scene, decide, flag, the_case
from tests.factories import Browser, sign_in

pytestmark = pytest.mark.anyio


async def test_a_kept_page_follows_everything_it_shows(web: Browser):
    scene = await a_scene(web)
    url, stranger, bob = scene.topic["url"], web(), web(token=scene.bob.token)
    seen = [(await stranger.get(url)).text]
    await bob.put(f"/api/v1/posts/{scene.post_id}/reactions/🎉")
    seen.append((await stranger.get(url)).text)
    await bob.post(f"/api/v1/topics/{scene.topic['id']}/posts", json={"body": "One more"})
    seen.append((await stranger.get(url)).text)
    await flag(web, scene.alice, f"post:{scene.post_id}")
    await decide(web, scene.mod, await the_case(), "hide")
    seen.append((await stranger.get(url)).text)
    clock.travel(timedelta(hours=3))
    seen.append((await stranger.get(url)).text)
    seen.append((await stranger.get(url, headers={"Accept-Language": "zh"})).text)
    assert len(set(seen)) == len(seen)
    assert "3 hours ago" in seen[4] and "3 小时前" in seen[5]


async def test_a_kept_page_still_asks_who_may_read_it(web: Browser):
    scene = await a_scene(web)
    await web().get(scene.topic["url"])
    with watch_queries() as queries:
        await web().get(scene.topic["url"])
    assert len(queries) == 2
    from app import db

    await db.execute("UPDATE groups SET visibility = 'secret'")
    assert (await web().get(scene.topic["url"])).status_code == 404


async def test_nothing_personal_is_kept(web: Browser):
    scene = await a_scene(web)
    rendered._pages.clear()
    member = await (await sign_in(web(), scene.alice)).get(scene.topic["url"])
    with_form = web()
    await with_form.get("/login")
    await with_form.get(scene.topic["url"])
    assert not rendered._pages
    assert "composer" in member.text and "composer" not in (await web().get(scene.topic["url"])).text
    assert len(rendered._pages) == 1
    kept, _tag = next(iter(rendered._pages.values()))
    assert b"_csrf" not in kept and b"gv_form" not in kept


async def test_only_so_many_pages_are_kept(web: Browser, monkeypatch: pytest.MonkeyPatch):
    scene = await a_scene(web)
    monkeypatch.setattr(rendered, "MOST_PAGES", 3)
    for n in range(6):
        await web().get(f"{scene.topic['url']}?nothing={n}")
    assert len(rendered._pages) == 3
