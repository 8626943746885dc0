import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.events import publish
from app.text import clean, markdown
from content.questions import queries
from content.questions.events import QuestionAnswered, QuestionAsked


async def ask(viewer: Viewer, product_slug: str, body: str) -> int:
    """Ask about a product; the question's id."""
    member_id = require_member(viewer)
    body = clean(body, "body", least=5, most=500)
    product_id = await db.fetch_val("SELECT id FROM product WHERE slug = $1", product_slug)
    if product_id is None:
        raise NotFound()
    async with db.transaction():
        question_id = await db.fetch_val(
            """INSERT INTO question (product_id, author_id, body, created_at)
               VALUES ($1, $2, $3, $4) RETURNING id""",
            product_id,
            member_id,
            body,
            clock.now(),
        )
        await publish(QuestionAsked(question_id=question_id, product_id=product_id), actor_id=member_id)
    return question_id


async def answer(viewer: Viewer, question_id: int, body: str) -> tuple[int, asyncpg.Record]:
    """Answer a question; the answer's id, and the question."""
    member_id = require_member(viewer)
    question = await queries.question(question_id)
    if question is None:
        raise NotFound()
    body = clean(body, "body", least=1, most=5000, lines=True)
    async with db.transaction():
        answer_id = await db.fetch_val(
            """INSERT INTO answer (question_id, author_id, body, html, created_at)
               VALUES ($1, $2, $3, $4, $5) RETURNING id""",
            question_id,
            member_id,
            body,
            markdown(body),
            clock.now(),
        )
        await publish(QuestionAnswered(answer_id=answer_id, question_id=question_id), actor_id=member_id)
    return answer_id, question
