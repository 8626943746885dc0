"""Questions, the shops' answers, and what was reported: through the services, each at its moment."""

from app import db
from app.text import markdown
from community.groups.service import join
from community.moderation import jobs as moderation_jobs
from community.moderation import service as moderation
from community.topics.service import reply
from demo.content.model import Report
from demo.filling.rows import Filling, copy_in, go_to, take_ids
from demo.filling.trade import run_jobs
from frontend.pages.subjects import access_subject

# Imported for the subscribers it registers: authors hear what became of a report.
SUBSCRIBERS = (moderation_jobs,)
MODERATOR = "jonas"
HOUR = 3600


async def ask_questions(f: Filling) -> None:
    questions = sorted(f.content.questions, key=lambda question: -question.ago)
    ids = await take_ids("question", len(questions))
    await copy_in(
        "question",
        "id product_id author_id body created_at",
        [
            (question_id, f.products[question.product], f.members[question.by], question.body, f.at(question.ago))
            for question_id, question in zip(ids, questions, strict=True)
        ],
    )
    await copy_in(
        "answer",
        "question_id author_id body html created_at",
        [
            (question_id, f.members[answer.by], answer.body, markdown(answer.body), f.at(answer.ago))
            for question_id, question in zip(ids, questions, strict=True)
            for answer in question.answers
        ],
    )


async def answer_reviews(f: Filling) -> None:
    owners = {store.slug: store.owner for store in f.content.stores}
    store_of = {product.slug: product.store for product in f.content.products}
    await copy_in(
        "review_reply",
        "review_id author_id body html created_at",
        [
            (
                f.reviews[answer.product, answer.reviewer],
                f.members[owners[store_of[answer.product]]],
                answer.body,
                markdown(answer.body),
                f.at(answer.ago),
            )
            for answer in f.content.shop_answers
        ],
    )


async def handle_reports(f: Filling) -> None:
    for told in f.content.reports:
        go_to(f.at(told.ago + 2 * HOUR))
        name = await _reported(f, told)
        for number, handle in enumerate(told.reported_by):
            go_to(f.at(told.ago - number * HOUR // 3))
            viewer = f.viewer(handle)
            note = told.note if number == 0 else ""
            await moderation.report(viewer, await access_subject(viewer, name), told.reason, note)
        if told.outcome:
            go_to(f.at(told.ago - 5 * HOUR))
            case_id = await db.fetch_val("SELECT max(id) FROM moderation_case")
            decide = moderation.hide if told.outcome == "hidden" else moderation.keep
            await decide(f.viewer(MODERATOR), case_id, told.why)
        await run_jobs(0)


async def _reported(f: Filling, told: Report) -> str:
    """The name of what is reported; a post that has no place in the threads is written first."""
    if told.product:
        return f"review:{f.reviews[told.product, told.author]}"
    group, _ = told.topic
    topic_id = f.topics[told.topic]
    if told.quotes:
        post_id = await db.fetch_val("SELECT id FROM post WHERE topic_id = $1 AND body = $2", topic_id, told.quotes)
        return f"post:{post_id}"
    viewer = f.viewer(told.author)
    await join(viewer, group)
    return f"post:{(await reply(viewer, topic_id, told.body)).id}"
