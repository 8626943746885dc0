import asyncpg
from litestar import Controller, Request, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, Gone
from app.idempotency import once
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.partners import applying, crm, examples, queries
from referrals.partners.schemas import (
    Application,
    Decision,
    FormTold,
    MessageList,
    MessageView,
    NewMessage,
    Partnership,
)
from storefront.stores.policy import access_own_store


class PartnershipApi(Controller):
    path = "/stores/{slug:str}"
    tags = ["earn"]

    @get("/partnership", summary="Where you stand with a store", opt=door(gives=examples.partnership, scope="read"))
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Partnership:
        """And what it asks of those who want to become its partners."""
        return await _partnership(require_member(viewer, "read"), slug)

    @post(
        "/partnership",
        summary="Ask to become a partner of a store",
        opt=door(
            takes=examples.application,
            gives=examples.partnership,
            refuses=(Conflict, Gone),
            scope="write",
            once=True,
        ),
    )
    async def apply(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Partnership:
        """`state` is "approved" when the programme's rule lets you in at once, else "waiting"."""
        member_id = require_member(viewer)
        told = await json_body(request, Application)

        async def do() -> Partnership:
            await applying.apply(viewer, slug, told.answers)
            return await _partnership(member_id, slug)

        return await once(request, member_id, Partnership, do)

    @put(
        "/partner-form",
        summary="Say how people become partners of your store",
        opt=door(takes=examples.form_told, gives=examples.form_told, scope="write"),
    )
    async def set_form(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> FormTold:
        """By the store's owner or an admin. An application with a lower risk than `auto_below` is approved at once."""
        await access_own_store(viewer, slug)
        await applying.set_form(viewer, slug, await json_body(request, FormTold))
        program = await applying.access_program(slug)
        asked = applying.questions_of(program)
        return FormTold(program["is_open"], program["welcome"], program["auto_below"], asked)

    @put(
        "/partners/{handle:str}/decision",
        summary="Approve or decline who asked to become a partner",
        opt=door(takes=examples.decision, gives=examples.partnership, scope="write"),
    )
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Partnership:
        """`verdict` is "approved" or "declined"; who is declined reads `reason`. A partner may be declined later."""
        await access_own_store(viewer, slug)
        told = await json_body(request, Decision)
        await applying.decide(viewer, slug, handle, told.verdict, reason=told.reason, tier=told.tier)
        partner = await crm.access_partner((await applying.access_program(slug))["id"], handle)
        return await _partnership(partner["member_id"], slug)

    @get(
        "/partners/{handle:str}/messages",
        summary="What a store and a partner wrote each other",
        opt=door(gives=examples.messages, scope="read"),
    )
    async def messages(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        handle: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> MessageList:
        """Newest first; for people of the store."""
        require_member(viewer, "read")
        await access_own_store(viewer, slug)
        program = await applying.access_program(slug)
        partner = await crm.access_partner(program["id"], handle)
        found = await queries.messages_of(program["id"], partner["member_id"], cursor=after, limit=limit_of(limit))
        return MessageList([_message_view(row, slug) for row in found.items], found.next)

    @post(
        "/partners/{handle:str}/messages",
        summary="Write to a partner",
        opt=door(takes=examples.new_message, gives=examples.message, scope="write", once=True),
    )
    async def write(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> MessageView:
        """By the store's owner or an admin. A bell rings; no mail goes out."""
        member_id = require_member(viewer)
        await access_own_store(viewer, slug)
        told = await json_body(request, NewMessage)
        program = await applying.access_program(slug)
        partner = await crm.access_partner(program["id"], handle)

        async def do() -> MessageView:
            await crm.write(viewer, slug, partner["member_id"], told.body, is_from_store=True)
            found = await queries.messages_of(program["id"], partner["member_id"], limit=1)
            return _message_view(found.items[0], slug)

        return await once(request, member_id, MessageView, do)


async def _partnership(member_id: int, slug: str) -> Partnership:
    program = await applying.access_program(slug)
    mine = await queries.application_of(program["id"], member_id)
    state = {"applied": "waiting"}.get(mine["state"], mine["state"]) if mine else "none"
    return Partnership(
        slug,
        state,
        mine["tier"] if mine else "",
        mine["reason"] if mine else "",
        program["is_open"],
        program["welcome"],
        applying.questions_of(program),
    )


def _message_view(row: asyncpg.Record, slug: str) -> MessageView:
    author = slug if row["is_from_store"] else row["handle"]
    return MessageView(str(row["id"]), row["is_from_store"], author, row["body"], row["created_at"].isoformat())
