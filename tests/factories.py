"""The cast and its actions, through the same services and doors the product uses."""

import itertools
import re
from collections.abc import Callable
from html import unescape

import httpx
import msgspec

from app import jobs
from app.auth import Viewer

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


class Person(msgspec.Struct):
    """A member for tests: `id`, `handle`, an API `token` and the `viewer` that services take."""

    id: int
    handle: str
    token: str
    viewer: Viewer


async def a_member(handle: str = "", *, role: str = "member", name: str = "", email_is_proven: bool = True) -> Person:
    from community.members.schemas import NewMember
    from community.members.service import join
    from community.sessions.service import make_token

    handle = handle or f"member{next(_numbers)}"
    new = NewMember(handle, f"{handle}@example.org", PASSWORD, name)
    member_id = await join(new, role=role, email_is_proven=email_is_proven)
    token = await make_token(member_id, ["read", "write", "moderate", "admin"])
    return Person(member_id, handle, token, Viewer(member_id=member_id, handle=handle, name=name or handle, role=role))


async def a_group(owner: Person, slug: str = "", *, visibility: str = "public", name: str = "") -> str:
    """A group with its chat room; its slug."""
    from community.groups.schemas import NewGroup
    from community.groups.service import found

    slug = slug or f"group-{next(_numbers)}"
    await found(owner.viewer, NewGroup(slug, name or slug.title(), "A place.", visibility))
    await run_jobs()
    return slug


async def run_jobs() -> int:
    """Run every job that is due now, like a worker would."""
    return await jobs.drain()


async def sign_in(browser: httpx.AsyncClient, person: Person) -> httpx.AsyncClient:
    """The browser with a session of this person, through the sign-in form."""
    answer = await submit(browser, "/login", {"login": person.handle, "password": PASSWORD}, page="/login")
    assert answer.status_code == 303, answer.text
    return browser


async def submit(
    browser: httpx.AsyncClient, action: str, data: dict, *, page: str | None = None, **more
) -> httpx.Response:
    """Send a form as a browser would: read the page it stands on, take its token, post."""
    shown = await browser.get(page or action)
    found = re.search(r'name="_csrf" value="([0-9a-f]+)"', shown.text) or re.search(
        r'X-CSRF-Token": "([0-9a-f]+)"', shown.text
    )
    assert found, f"no form on {page or action}: {shown.status_code}"
    return await browser.post(action, data={**data, "_csrf": found[1]}, **more)


async def prove_email(browser: httpx.AsyncClient) -> None:
    """Whoever is signed in there follows the link that was sent to their address."""
    shown = await browser.get("/settings/email")
    found = re.search(r'href="(/settings/email/[0-9a-f.]+)"', shown.text)
    assert found, shown.status_code
    assert (await submit(browser, found[1], {})).status_code == 303


def words_of(html: str) -> str:
    """What a person reads of a page: its tags hold tokens and times, in which any few digits may stand by chance."""
    return unescape(re.sub(r"<script.*?</script>|<[^>]*>", " ", html, flags=re.DOTALL))


def is_told(secret: str, text: str, piece: int = 8) -> bool:
    """Whether any so long piece of the secret stands there; shorter ones stand in tokens by chance."""
    assert len(secret) >= piece
    return any(secret[start : start + piece] in text for start in range(len(secret) - piece + 1))


Browser = Callable[..., httpx.AsyncClient]
