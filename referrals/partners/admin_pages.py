"""A store's side of its partners: who asks to come in, who is in, what is said and given to them."""

from typing import Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.errors import Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.settings import settings
from app.web import form, page, redirect
from community.media import service as media
from community.media.api import MOST_BODY_BYTES, picture_of
from referrals.agreement import service as agreement
from referrals.agreement.pages import to_changes
from referrals.partners import applying, crm, queries, service
from referrals.partners.changes import TierChange
from referrals.partners.risk import risk_words
from referrals.partners.schemas import Decision, FormTold, NewAsset, NewInvite, NewMessage, Question
from storefront.stores.policy import access_own_store

ROWS = 8


class PartnerFormForm(msgspec.Struct):
    """The editor of the form: the rows of questions stand beside each other in four lists."""

    is_open: bool = False
    welcome: str = ""
    auto_below: int = 0
    label: list[str] = []
    kind: list[str] = []
    must: list[str] = []
    options: list[str] = []


class TagsForm(msgspec.Struct):
    tags: str = ""


class NoteForm(msgspec.Struct):
    note: str = ""


class TierForm(msgspec.Struct):
    tier: str = ""


async def _rules_come_first(request: Request) -> Response | None:
    """A shop without a programme is led to its first rules: no page about partners is a dead end."""
    slug = request.path_params["slug"]
    if request.method != "GET" or await applying.has_program(slug):
        return None
    return redirect(f"/admin/programs/{slug}/rules", flash=_("This store has no programme yet."))


class PartnerAdminPages(Controller):
    path = "/admin/programs/{slug:str}/partners"
    include_in_schema = False
    before_request = _rules_come_first  # type: ignore[assignment]  # Litestar keeps it a plain function

    @get("/applications")
    async def applications(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _applications(request, viewer, slug)

    @post("/applications/{handle:str}")
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Response:
        await access_own_store(viewer, slug)
        try:
            said = await form(request, Decision)
            await applying.decide(viewer, slug, handle, said.verdict, reason=said.reason, tier=said.tier)
        except NotFound:
            raise
        except Problem as problem:
            return await _applications(request, viewer, slug, problem)
        return redirect(f"/admin/programs/{slug}/partners/applications", flash=_("Decided."))

    @get("/form")
    async def edit_form(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await access_own_store(viewer, slug)
        program = await applying.access_program(slug)
        told = FormTold(program["is_open"], program["welcome"], program["auto_below"], applying.questions_of(program))
        return await _form_page(request, viewer, slug, told)

    @post("/form")
    async def save_form(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await access_own_store(viewer, slug)
        told = FormTold()
        try:
            told = _as_told(await form(request, PartnerFormForm))
            await applying.set_form(viewer, slug, told)
        except NotFound:
            raise
        except Problem as problem:
            return await _form_page(request, viewer, slug, told, problem)
        return redirect(f"/admin/programs/{slug}/partners/form", flash=_("Saved."))

    @get("/invites")
    async def invites(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _invites(request, viewer, slug)

    @post("/invites")
    async def invite(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await access_own_store(viewer, slug)
        program, typed = await applying.access_program(slug), NewInvite()
        try:
            typed = await form(request, NewInvite)
            await crm.invite(viewer, program["id"], typed)
        except Problem as problem:
            return await _invites(request, viewer, slug, problem, typed)
        return redirect(f"/admin/programs/{slug}/partners/invites", flash=_("Here is the link."))

    @post("/invites/{invite_id:int}/end")
    async def end_invite(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], invite_id: FromPath[int]
    ) -> Response:
        await access_own_store(viewer, slug)
        await crm.end_invite((await applying.access_program(slug))["id"], invite_id)
        return redirect(f"/admin/programs/{slug}/partners/invites", flash=_("It lets nobody in any more."))

    @get("/assets")
    async def assets(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _assets(request, viewer, slug)

    @post("/assets", request_max_body_size=MOST_BODY_BYTES)
    async def add_asset(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await access_own_store(viewer, slug)
        program, typed = await applying.access_program(slug), NewAsset()
        try:
            typed = await form(request, NewAsset)
            picture = ""
            if typed.kind == "picture":
                await limit("upload", viewer.member_id, most=60, per=3600)
                picture = (await media.keep_picture(viewer, await picture_of(request, "file"))).url
            await crm.add_asset(viewer, program["id"], typed, picture)
        except Problem as problem:
            return await _assets(request, viewer, slug, problem, typed)
        return redirect(f"/admin/programs/{slug}/partners/assets", flash=_("Your partners see it now."))

    @post("/assets/{asset_id:int}/end")
    async def end_asset(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], asset_id: FromPath[int]
    ) -> Response:
        await access_own_store(viewer, slug)
        await crm.end_asset((await applying.access_program(slug))["id"], asset_id)
        return redirect(f"/admin/programs/{slug}/partners/assets", flash=_("Taken away."))

    @get("/m/{handle:str}")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Response:
        return await _partner(request, viewer, slug, handle)

    @post("/m/{handle:str}/messages")
    async def write(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Response:
        await access_own_store(viewer, slug)
        program = await applying.access_program(slug)
        partner, typed = await crm.access_partner(program["id"], handle), NewMessage()
        try:
            typed = await form(request, NewMessage)
            await crm.write(viewer, slug, partner["member_id"], typed.body, is_from_store=True)
        except NotFound:
            raise
        except Problem as problem:
            return await _partner(request, viewer, slug, handle, problem, message=typed.body)
        return redirect(f"/admin/programs/{slug}/partners/m/{partner['handle']}#messages")

    @post("/m/{handle:str}/tags")
    async def tag(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Response:
        await access_own_store(viewer, slug)
        partner = await crm.access_partner((await applying.access_program(slug))["id"], handle)
        try:
            await crm.set_tags(partner["program_id"], partner["member_id"], (await form(request, TagsForm)).tags)
        except Problem as problem:
            return await _partner(request, viewer, slug, handle, problem)
        return redirect(f"/admin/programs/{slug}/partners/m/{partner['handle']}", flash=_("Saved."))

    @post("/m/{handle:str}/notes")
    async def note(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Response:
        await access_own_store(viewer, slug)
        partner = await crm.access_partner((await applying.access_program(slug))["id"], handle)
        try:
            await crm.note(viewer, partner["program_id"], partner["member_id"], (await form(request, NoteForm)).note)
        except Problem as problem:
            return await _partner(request, viewer, slug, handle, problem)
        return redirect(f"/admin/programs/{slug}/partners/m/{partner['handle']}", flash=_("Saved."))

    @post("/m/{handle:str}/tier")
    async def tier(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], handle: FromPath[str]
    ) -> Response:
        store = await access_own_store(viewer, slug)
        partner = await crm.access_partner((await applying.access_program(slug))["id"], handle)
        try:
            wanted = (await form(request, TierForm)).tier
            if await agreement.waits(viewer, store, TierChange(partner["handle"], wanted)):
                return to_changes(slug)
            await service.set_tier(slug, partner["handle"], wanted, viewer)
        except Problem as problem:
            return await _partner(request, viewer, slug, handle, problem)
        said = _("Done. It counts for orders from now on.")
        return redirect(f"/admin/programs/{slug}/partners/m/{partner['handle']}", flash=said)


def _as_told(typed: PartnerFormForm) -> FormTold:
    if not len(typed.label) == len(typed.kind) == len(typed.must) == len(typed.options):
        raise Invalid("questions", _("The form came in pieces. Please send it again."))
    try:
        questions = [
            msgspec.convert(
                {
                    "label": " ".join(label.split()),
                    "kind": kind,
                    "is_required": must == "yes",
                    "options": [" ".join(one.split()) for one in options.split("/") if one.strip()],
                },
                Question,
            )
            for label, kind, must, options in zip(typed.label, typed.kind, typed.must, typed.options, strict=True)
            if label.strip()
        ]
    except msgspec.ValidationError as error:
        raise Invalid("questions", str(error)) from error
    return FormTold(typed.is_open, typed.welcome, typed.auto_below, questions)


async def _shell(
    request: Request, viewer: Viewer, slug: str, template: str, problem: Problem | None, **more: Any
) -> Response:
    store = await access_own_store(viewer, slug)
    status = problem.status if problem else 200
    return page(request, viewer, template, status=status, store=store, problem=problem, **more)


async def _applications(request: Request, viewer: Viewer, slug: str, problem: Problem | None = None) -> Response:
    await access_own_store(viewer, slug)
    program = await applying.access_program(slug)
    waiting = await queries.applications_to(program["id"], cursor=request.query_params.get("after"))
    template = "referrals/partners/applications.html"
    tiers = await queries.tiers_of(program["id"])
    return await _shell(
        request, viewer, slug, template, problem, waiting=waiting, risk_words=risk_words, program=program, tiers=tiers
    )


async def _form_page(
    request: Request, viewer: Viewer, slug: str, told: FormTold, problem: Problem | None = None
) -> Response:
    rows = [*told.questions, *[Question("") for _n in range(max(2, ROWS - len(told.questions)))]]
    rows = rows[: applying.MOST_QUESTIONS]
    return await _shell(request, viewer, slug, "referrals/partners/form.html", problem, told=told, rows=rows)


async def _invites(
    request: Request, viewer: Viewer, slug: str, problem: Problem | None = None, typed: NewInvite | None = None
) -> Response:
    await access_own_store(viewer, slug)
    program = await applying.access_program(slug)
    invites, base = await queries.invites_of(program["id"]), settings().base_url
    template = "referrals/partners/invites.html"
    return await _shell(
        request, viewer, slug, template, problem, invites=invites, base=base, typed=typed or NewInvite()
    )


async def _assets(
    request: Request, viewer: Viewer, slug: str, problem: Problem | None = None, typed: NewAsset | None = None
) -> Response:
    await access_own_store(viewer, slug)
    program = await applying.access_program(slug)
    assets, typed = await queries.assets_of(program["id"]), typed or NewAsset()
    template = "referrals/partners/assets.html"
    return await _shell(request, viewer, slug, template, problem, assets=assets, typed=typed)


async def _partner(
    request: Request, viewer: Viewer, slug: str, handle: str, problem: Problem | None = None, message: str = ""
) -> Response:
    await access_own_store(viewer, slug)
    program: asyncpg.Record = await applying.access_program(slug)
    partner = await crm.access_partner(program["id"], handle)
    member_id = partner["member_id"]
    thread = await queries.messages_of(program["id"], member_id, cursor=request.query_params.get("after"))
    await crm.read(program["id"], member_id, by_store=True)
    return await _shell(
        request,
        viewer,
        slug,
        "referrals/partners/partner.html",
        problem,
        partner=partner,
        thread=thread,
        notes=await queries.notes_on(program["id"], member_id),
        tags=await queries.tags_on(program["id"], member_id),
        risk_words=risk_words,
        message=message,
    )
