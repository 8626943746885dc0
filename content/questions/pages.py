from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.i18n import gettext as _
from app.idempotency import once
from app.limits import limit
from app.web import form, redirect
from content.questions import service
from content.questions.schemas import AnswerForm, QuestionForm


class QuestionPages(Controller):
    """Asking and answering at a product; both are read on its page."""

    include_in_schema = False

    @post("/p/{slug:str}/questions")
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        member_id = require_member(viewer)
        await limit("ask", member_id, most=30, per=3600)
        asked = await form(request, QuestionForm)
        question_id = await once(request, member_id, int, lambda: service.ask(viewer, slug, asked.body))
        return redirect(f"/p/{slug}#question-{question_id}", flash=_("Your question is asked."))

    @post("/questions/{question_id:int}/answers")
    async def answer(self, request: Request, viewer: NamedDependency[Viewer], question_id: FromPath[int]) -> Response:
        member_id = require_member(viewer)
        await limit("answer", member_id, most=60, per=3600)
        given = await form(request, AnswerForm)

        async def answer_once() -> str:
            _id, question = await service.answer(viewer, question_id, given.body)
            return question["product_slug"]

        slug = await once(request, member_id, str, answer_once)
        return redirect(f"/p/{slug}#question-{question_id}", flash=_("Your answer is published."))
