"""The page of a link's routes: its rules in their order, its split, and the dry run beside them."""

from typing import Any

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.settings import settings
from app.web import form, form_again, page, redirect
from referrals.links import editing, forms, queries
from referrals.links.agents import APPS, BROWSERS, DEVICES, SYSTEMS
from referrals.links.schemas import LinkChange
from referrals.links.trying import SAMPLES, try_out

ROUTES = "referrals/links/routes.html"
APP_NAMES = {
    "wechat": "WeChat 微信",
    "xiaohongshu": "Xiaohongshu 小红书",
    "weibo": "Weibo 微博",
    "qq": "QQ",
    "douyin": "Douyin 抖音",
    "tiktok": "TikTok",
    "alipay": "Alipay 支付宝",
    "dingtalk": "DingTalk 钉钉",
    "line": "LINE",
    "kakaotalk": "KakaoTalk",
    "instagram": "Instagram",
    "facebook": "Facebook",
    "messenger": "Messenger",
    "whatsapp": "WhatsApp",
    "telegram": "Telegram",
    "x": "X",
    "snapchat": "Snapchat",
    "pinterest": "Pinterest",
    "linkedin": "LinkedIn",
}


class RoutePages(Controller):
    path = "/share/{code:str}/routes"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        link = await queries.access_own_link(require_member(viewer), code)
        return page(request, viewer, ROUTES, values={}, problem=None, **_about(request, link))

    @post()
    async def add(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        """One more rule, after the others."""
        link = await queries.access_own_link(require_member(viewer), code)
        try:
            rule = forms.rule_of(await form(request, forms.RuleForm))
            rules = [*forms.again(forms.routes_of(link)), rule]
            await editing.change(viewer, code, LinkChange(rules=rules))
        except Problem as problem:
            _name_the_field(problem, "to")
            return await form_again(request, viewer, ROUTES, problem, **_about(request, link))
        return redirect(_address(link), flash=_("Saved. Within five seconds it holds everywhere."))

    @post("/{number:int}/removal")
    async def remove(self, viewer: NamedDependency[Viewer], code: FromPath[str], number: FromPath[int]) -> Response:
        link, rules = await _rules(viewer, code, number)
        del rules[number - 1]
        await editing.change(viewer, code, LinkChange(rules=rules))
        return redirect(_address(link), flash=_("The rule is gone."))

    @post("/{number:int}/rise")
    async def rise(self, viewer: NamedDependency[Viewer], code: FromPath[str], number: FromPath[int]) -> Response:
        """One place up: what stands first decides first."""
        link, rules = await _rules(viewer, code, number)
        if number > 1:
            rules[number - 2], rules[number - 1] = rules[number - 1], rules[number - 2]
            await editing.change(viewer, code, LinkChange(rules=rules))
        return redirect(_address(link))

    @post("/split")
    async def split(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        link = await queries.access_own_link(require_member(viewer), code)
        try:
            sides = forms.split_of(await form(request, forms.SplitForm))
            await editing.change(viewer, code, LinkChange(split=sides))
        except Problem as problem:
            problem.fields = {"split": problem.detail}
            return await form_again(request, viewer, ROUTES, problem, **_about(request, link))
        return redirect(_address(link), flash=_("Saved. Within five seconds it holds everywhere."))


async def _rules(viewer: Viewer, code: str, number: int) -> tuple[asyncpg.Record, list[Any]]:
    link = await queries.access_own_link(require_member(viewer), code)
    rules = forms.again(forms.routes_of(link))
    if not 1 <= number <= len(rules):
        raise NotFound()
    return link, rules


def _about(request: Request, link: asyncpg.Record) -> dict[str, Any]:
    asked = request.query_params
    sample, country = asked.get("try", ""), asked.get("country", "")[:2]
    agent = SAMPLES.get(sample) or asked.get("agent", "")[:1000] or request.headers.get("user-agent", "")
    language = asked.get("language", "")[:40] or request.headers.get("accept-language", "")[:200]
    return {
        "link": link,
        "routes": forms.routes_of(link),
        "tried": try_out(link, agent=agent, language=language, country=country, at=clock.now()),
        "asked": {"try": sample, "agent": agent if not sample and asked.get("agent") else "", "country": country},
        "language": asked.get("language", "")[:40],
        "samples": SAMPLES,
        "devices": DEVICES,
        "systems": SYSTEMS,
        "browsers": BROWSERS,
        "apps": {name: APP_NAMES[name] for name in APPS},
        "knows_country": bool(settings().country_header),
        "sides": forms.SIDES,
    }


def _name_the_field(problem: Problem, field: str) -> None:
    """The page shows one rule: `rules[3].to` is its field `to`."""
    problem.fields = {(name.rpartition(".")[2] or field): why for name, why in problem.fields.items()}


def _address(link: asyncpg.Record) -> str:
    return f"/share/{link['code']}/routes"
