from app import db
from app.events import on
from community.notifications.service import notify
from content.questions import queries
from content.questions.events import QuestionAnswered


@on(QuestionAnswered)
async def tell_asker(event: QuestionAnswered) -> None:
    question = await queries.question(event.question_id)
    by = await db.fetch_one(
        "SELECT m.id, m.handle, m.name FROM answer a JOIN member m ON m.id = a.author_id WHERE a.id = $1",
        event.answer_id,
    )
    if question and by and by["id"] != question["author_id"]:
        await notify(
            question["author_id"],
            "question_answered",
            source=f"answer:{event.answer_id}",
            url=f"/p/{question['product_slug']}#question-{question['id']}",
            data={"product": question["product_title"], "handle": by["handle"], "name": by["name"]},
        )
