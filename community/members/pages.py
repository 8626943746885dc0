from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import mail
from app.auth import Viewer, require_member
from app.edge import LANG_COOKIE
from app.errors import Invalid, Problem
from app.i18n import LANGUAGES, use
from app.i18n import gettext as _
from app.settings import settings
from app.web import form, page, redirect
from community.members import emails, queries, service
from community.members.schemas import Profile

A_YEAR = 365 * 86_400


class Language(msgspec.Struct):
    lang: str


class MemberPages(Controller):
    """What a member may change about themselves."""

    path = "/settings"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        return page(request, viewer, "community/members/settings.html", problem=None)

    @get("/profile")
    async def show_profile(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return await profile_form(request, viewer)

    @post("/profile")
    async def change_profile(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        try:
            await service.change_profile(member_id, await form(request, Profile))
        except Problem as problem:
            return await profile_form(request, viewer, problem=problem)
        return redirect("/settings/profile", flash=_("Saved."))

    @get("/email")
    async def show_email(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return await _email_page(request, viewer)

    @post("/email/proof")
    async def ask_for_proof(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            await emails.ask_for_proof(viewer)
        except Problem as problem:
            return await _email_page(request, viewer, problem=problem)
        return redirect("/settings/email", flash=_("The link is on its way to you."))

    @get("/email/{token:str}")
    async def show_proof(self, request: Request, viewer: NamedDependency[Viewer], token: FromPath[str]) -> Response:
        """A page with a button: programs that open the links of a mail beforehand prove nothing."""
        return await _email_page(request, viewer, token=token)

    @post("/email/{token:str}")
    async def prove_email(self, request: Request, viewer: NamedDependency[Viewer], token: FromPath[str]) -> Response:
        require_member(viewer)
        try:
            await emails.prove(viewer, token)
        except Problem as problem:
            return await _email_page(request, viewer, problem=problem)
        return redirect("/settings/email", flash=_("This address is yours."))

    @post("/language")
    async def change_language(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """Remembered with the account (for mail) and in this browser (for pages)."""
        member_id = require_member(viewer)
        lang = (await form(request, Language)).lang
        if lang not in LANGUAGES:
            raise Invalid("lang", _("We do not speak this language yet."))
        await service.change_language(member_id, lang)
        use(lang)
        response = redirect("/settings/", flash=_("Saved."))
        response.set_cookie(LANG_COOKIE, lang, path="/", max_age=A_YEAR, samesite="lax")
        return response


async def _email_page(request: Request, viewer: Viewer, *, token: str = "", problem: Problem | None = None) -> Response:
    member_id = require_member(viewer)
    member = await queries.member_by_handle(viewer.handle)
    can_send = mail.is_set_up()
    is_shortcut = not can_send and not settings().is_production
    return page(
        request,
        viewer,
        "community/members/email.html",
        status=problem.status if problem else 200,
        member=member,
        token=token,
        can_send=can_send,
        shortcut=emails.address_of_proof(member_id, member["email"]) if is_shortcut else "",
        problem=problem,
    )


async def profile_form(request: Request, viewer: Viewer, *, problem: Problem | None = None) -> Response:
    """The profile as it is kept, or as it was typed when something about it has to change."""
    require_member(viewer)
    member = await queries.member_by_handle(viewer.handle)
    values: dict[str, Any] = {"name": member["name"], "bio": member["bio"]}
    if problem:
        typed = await request.form() if problem.status != 413 else {}
        values |= {key: typed[key] for key in values if isinstance(typed.get(key), str)}
    return page(
        request,
        viewer,
        "community/members/profile_form.html",
        status=problem.status if problem else 200,
        member=member,
        values=values,
        problem=problem,
    )
