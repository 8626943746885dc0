from datetime import datetime

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.idempotency import once
from app.limits import limit
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from content.questions import examples, queries, service
from content.questions.schemas import AnswerView, Made, NewAnswer, NewQuestion, QuestionPage, QuestionView


class QuestionApi(Controller):
    tags = ["questions"]

    @get(
        "/products/{slug:str}/questions",
        summary="Questions about a product, with their answers",
        opt=door(gives=examples.questions),
    )
    async def index(
        self,
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> QuestionPage:
        product_id = await db.fetch_val("SELECT id FROM product WHERE slug = $1", slug)
        if product_id is None:
            raise NotFound()
        page = await queries.questions_about(product_id, cursor=after, limit=limit_of(limit))
        return QuestionPage([_view(row) for row in page.items], page.next)

    @post(
        "/products/{slug:str}/questions",
        summary="Ask about a product",
        status_code=201,
        opt=door(takes=examples.new_question, gives=examples.made, scope="write", once=True),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[Made]:
        member_id = require_member(viewer)
        await limit("ask", member_id, most=30, per=3600)
        asked = await json_body(request, NewQuestion)
        question_id = await once(request, member_id, int, lambda: service.ask(viewer, slug, asked.body))
        return Response(Made(str(question_id)), status_code=201)

    @post(
        "/questions/{question_id:int}/answers",
        summary="Answer a question",
        status_code=201,
        opt=door(takes=examples.new_answer, gives=examples.made, scope="write", once=True),
    )
    async def answer(
        self, request: Request, viewer: NamedDependency[Viewer], question_id: FromPath[int]
    ) -> Response[Made]:
        member_id = require_member(viewer)
        await limit("answer", member_id, most=60, per=3600)
        given = await json_body(request, NewAnswer)

        async def answer_once() -> int:
            return (await service.answer(viewer, question_id, given.body))[0]

        return Response(Made(str(await once(request, member_id, int, answer_once))), status_code=201)


def _view(row: asyncpg.Record) -> QuestionView:
    return QuestionView(
        id=str(row["id"]),
        body=row["body"],
        author=row["handle"],
        created_at=row["created_at"],
        answers=[
            AnswerView(str(a["id"]), a["handle"], a["html"], a["official"], datetime.fromisoformat(a["created_at"]))
            for a in row["answers"]
        ],
    )
