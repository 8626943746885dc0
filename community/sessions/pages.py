from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app import mail
from app.auth import Viewer, require_member, session_cookie_name
from app.errors import Invalid, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import address_of, form, form_again, page, redirect, remember_cookie, safe_next
from community.members.schemas import NewMember
from community.members.service import join
from community.sessions import passwords, queries, service
from community.sessions.devices import device_name

A_DAY = 86_400


class SignIn(msgspec.Struct):
    login: Annotated[str, Meta(min_length=1, max_length=254)]
    password: Annotated[str, Meta(min_length=1, max_length=1024)]
    next: str = ""


class SignUp(NewMember, forbid_unknown_fields=False):
    next: str = ""


class NewPassword(msgspec.Struct):
    password: Annotated[str, Meta(max_length=1024)] = ""
    current: Annotated[str, Meta(max_length=1024)] = ""
    keep_tokens: bool = False


class Forgotten(msgspec.Struct):
    login: Annotated[str, Meta(min_length=1, max_length=254)]


CHANGE = "community/sessions/password.html"
FORGOTTEN = "community/sessions/forgotten.html"
RESET = "community/sessions/reset.html"


class SessionPages(Controller):
    include_in_schema = False

    @get("/login")
    async def show_login(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        after = safe_next(request.query_params.get("next"))
        if viewer.is_member:
            return redirect(after)
        return page(request, viewer, "community/sessions/login.html", values={"next": after}, problem=None)

    @post("/login")
    async def login(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        try:
            asked = await form(request, SignIn)
            member_id = await service.sign_in(asked.login, asked.password, address=address_of(request))
        except Problem as problem:
            return await form_again(request, viewer, "community/sessions/login.html", problem)
        return await _enter(request, member_id, asked.next)

    @get("/join")
    async def show_join(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        after = safe_next(request.query_params.get("next"))
        if viewer.is_member:
            return redirect(after)
        return page(request, viewer, "community/sessions/join.html", values={"next": after}, problem=None)

    @post("/join")
    async def join(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        try:
            await limit("sign-up", address_of(request), most=20, per=3600)
            asked = await form(request, SignUp)
            new = NewMember(asked.handle, asked.email, asked.password, asked.display_name, gv=click_of(request))
            member_id = await join(new)
        except Problem as problem:
            return await form_again(request, viewer, "community/sessions/join.html", problem)
        return await _enter(request, member_id, asked.next, flash=_("Welcome! You are in."))

    @post("/logout")
    async def logout(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        if viewer.session_id is not None:
            await service.close_session(viewer.session_id, require_member(viewer))
        response = redirect("/", flash=_("You are signed out."))
        response.delete_cookie(session_cookie_name(), path="/")
        return response

    @get("/settings/sessions")
    async def list_sessions(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        sessions = await queries.sessions_of(require_member(viewer))
        return page(request, viewer, "community/sessions/devices.html", sessions=sessions, device_name=device_name)

    @post("/settings/sessions/{session_id:int}/end")
    async def end_session(
        self, request: Request, viewer: NamedDependency[Viewer], session_id: FromPath[int]
    ) -> Response:
        await service.close_session(session_id, require_member(viewer))
        return redirect("/settings/sessions", flash=_("That device is signed out."))


class PasswordPages(Controller):
    """A new password: with the old one, or with a link by mail."""

    include_in_schema = False

    @get("/settings/password")
    async def show_change(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        return page(request, viewer, CHANGE, values={}, problem=None)

    @post("/settings/password")
    async def change(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            asked = await form(request, NewPassword)
            await passwords.change(viewer, asked.current, asked.password, keep_tokens=asked.keep_tokens)
        except Problem as problem:
            return await form_again(request, viewer, CHANGE, problem)
        return redirect("/settings/", flash=_("Your password is changed. Every other device is signed out."))

    @get("/login/forgotten")
    async def show_forgotten(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return page(request, viewer, FORGOTTEN, values={}, problem=None, can_mail=mail.is_set_up())

    @post("/login/forgotten")
    async def forget(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        try:
            asked = await form(request, Forgotten)
            await passwords.forget(asked.login, address=address_of(request))
        except Problem as problem:
            return await form_again(request, viewer, FORGOTTEN, problem, can_mail=mail.is_set_up())
        return redirect("/login", flash=_("If there is such an account, a link is on its way to its e-mail."))

    @get("/login/reset/{token:str}")
    async def show_reset(self, request: Request, viewer: NamedDependency[Viewer], token: FromPath[str]) -> Response:
        await passwords.holder(token)
        return page(request, viewer, RESET, values={}, problem=None, token=token)

    @post("/login/reset/{token:str}")
    async def reset(self, request: Request, viewer: NamedDependency[Viewer], token: FromPath[str]) -> Response:
        await passwords.holder(token)
        try:
            asked = await form(request, NewPassword)
            await passwords.reset(token, asked.password)
        except Invalid as problem:
            return await form_again(request, viewer, RESET, problem, token=token)
        return redirect("/login", flash=_("Your new password is set. Sign in with it."))


def click_of(request: Request) -> str:
    """The click this browser came by: named in the address, or remembered in the cookie of the redirect."""
    return (request.query_params.get("gv") or request.cookies.get("gv") or "")[:64]


async def _enter(request: Request, member_id: int, after: str, flash: str = "") -> Response:
    token = await service.open_session(
        member_id, user_agent=request.headers.get("user-agent", ""), gv=click_of(request)
    )
    response = redirect(safe_next(after), flash=flash)
    response.set_cookie(remember_cookie(session_cookie_name(), token, seconds=service.SESSION_DAYS * A_DAY))
    return response
