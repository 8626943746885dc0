import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, page, redirect
from referrals.agreement import service as agreement
from referrals.agreement.pages import to_changes
from referrals.programs import queries, service, words
from referrals.programs.changes import RulesChange
from referrals.programs.editor import RulesForm, as_form, as_rules, rows_of
from referrals.programs.markets import SECOND_LEVEL
from referrals.programs.schemas import Draft
from referrals.programs.soundness import check_terms
from referrals.programs.terms import Terms, terms_of
from storefront.stores.policy import access_own_store

EDITOR = "referrals/programs/rules.html"


class DraftForm(msgspec.Struct):
    draft: str
    base_version: int = 0


class ProgramPages(Controller):
    """What a store's owner sees of its programme; the other tabs stand with what they show."""

    path = "/admin/programs"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = None if viewer.is_admin else require_member(viewer)
        return page(request, viewer, "referrals/programs/index.html", stores=await queries.stores_run_by(member_id))

    @get("/{slug:str}/rules")
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        current = await _in_force(store["id"])
        shown = as_form(service.rules_of(current), _terms(current), current["version"] if current else 0)
        return _editor(request, viewer, store, shown)

    @post("/{slug:str}/rules/preview", status_code=200)
    async def preview(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """What would change, before anything does."""
        store = await access_own_store(viewer, slug)
        current = await _in_force(store["id"])
        typed = as_form(service.rules_of(current), _terms(current), 0)
        try:
            typed = await form(request, RulesForm)
            if (await request.form()).get("rows") == "more":
                return _editor(request, viewer, store, typed, spare=6)
            rules, terms = as_rules(typed)
            service.check_rules(rules)
            check_terms(terms)
        except Problem as problem:
            return _editor(request, viewer, store, typed, problem)
        before = words.sentences(service.rules_of(current), _terms(current)) if current else []
        after = words.sentences(rules, terms)
        return page(
            request,
            viewer,
            "referrals/programs/preview.html",
            store=store,
            before=before,
            after=after,
            draft=msgspec.json.encode(Draft(rules, terms)).decode(),
            base_version=typed.base_version,
        )

    @post("/{slug:str}/rules")
    async def publish(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        await limit("program:publish", store["id"], most=60, per=3600)
        sent = await form(request, DraftForm)
        draft = _read(sent.draft)
        if await agreement.waits(viewer, store, RulesChange(draft.rules, draft.terms, sent.base_version)):
            return to_changes(slug)
        _id, number = await service.publish_rules(
            slug, draft.rules, terms=draft.terms, actor_id=viewer.member_id, base_version=sent.base_version
        )
        said = _("Version %(n)s is in force for orders from now on.", n=number)
        return redirect(f"/admin/programs/{slug}/rules/versions", flash=said)

    @get("/{slug:str}/rules/versions")
    async def history(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        program = await queries.program_of(store["id"])
        before = request.query_params.get("before", "")
        if before and not (before.isascii() and before.isdigit() and len(before) < 10):
            raise NotFound()
        rows = (
            await queries.versions_of(program["id"], before=int(before) if before else None, limit=11)
            if program
            else []
        )
        shown = [(row, *_difference(row, older)) for row, older in zip(rows, [*rows[1:], None], strict=False)]
        is_more = len(rows) > 10
        return page(
            request,
            viewer,
            "referrals/programs/versions.html",
            store=store,
            versions=shown[:10],
            older=rows[9]["version"] if is_more else None,
        )


def _editor(
    request: Request,
    viewer: Viewer,
    store: asyncpg.Record,
    shown: RulesForm,
    problem: Problem | None = None,
    *,
    spare: int = 3,
) -> Response:
    return page(
        request,
        viewer,
        EDITOR,
        status=problem.status if problem else 200,
        store=store,
        shown=shown,
        rows=rows_of(shown, spare=spare),
        markets=sorted(SECOND_LEVEL),
        problem=problem,
    )


async def _in_force(store_id: int) -> asyncpg.Record | None:
    program = await queries.program_of(store_id)
    return await queries.newest(program["id"]) if program else None


def _terms(version: asyncpg.Record | None) -> Terms:
    return terms_of(version) if version else Terms()


def _read(draft: str) -> Draft:
    try:
        return msgspec.json.decode(draft, type=Draft)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("draft", _("This draft cannot be read any more. Please begin anew.")) from error


def _difference(row: asyncpg.Record, older: asyncpg.Record | None) -> tuple[list[str], list[str]]:
    """What a version says that the one before did not, and the other way round."""
    now = words.sentences(service.rules_of(row), terms_of(row))
    before = words.sentences(service.rules_of(older), terms_of(older)) if older else []
    return [one for one in now if one not in before], [one for one in before if one not in now]
