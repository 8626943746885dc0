"""What stands beside the reviews: questions, the shops' answers, and what was reported."""

from random import Random

from demo.content.model import Answer, Member, Question, Report, Review, ShopAnswer
from demo.content.source import read, split_line
from demo.content.talk import DAY, HOUR


def questions(rng: Random, members: tuple[Member, ...]) -> tuple[Question, ...]:
    joined = {member.handle: member.ago for member in members}
    return tuple(_question(rng, source, joined[source["by"]]) for source in read("questions")["question"])


def _question(rng: Random, source: dict, joined_ago: int) -> Question:
    # Those who ask are new here, so they asked since they joined; what nobody has answered is from today.
    asked = int(joined_ago * rng.uniform(0.15, 0.95)) if source["answers"] else rng.randint(3 * HOUR, 20 * HOUR)
    at, answers = asked, []
    for line in source["answers"]:
        by, body = split_line(line)
        at -= rng.randint(HOUR // 3, 3 * HOUR)
        answers.append(Answer(by=by, body=body, ago=at))
    return Question(product=source["product"], by=source["by"], body=source["ask"], ago=asked, answers=tuple(answers))


def shop_answers(rng: Random, reviews: tuple[Review, ...]) -> tuple[ShopAnswer, ...]:
    """Each some hours after its review."""
    written = {(review.product, review.by): review.ago for review in reviews}
    return tuple(
        ShopAnswer(
            product=source["product"],
            reviewer=source["by"],
            body=source["text"],
            ago=max(written[source["product"], source["by"]] - rng.randint(2 * HOUR, 40 * HOUR), HOUR),
        )
        for source in read("answers")["answer"]
    )


def reports() -> tuple[Report, ...]:
    return tuple(
        Report(
            author=source["author"],
            reported_by=tuple(source["reported_by"]),
            reason=source["reason"],
            note=source["note"],
            ago=int(source["ago_days"] * DAY),
            outcome=source.get("outcome", ""),
            why=source.get("why", ""),
            product=source.get("product", ""),
            topic=(source.get("group", ""), source.get("topic", 0)),
            quotes=source.get("quotes", ""),
            body=source.get("body", ""),
        )
        for source in read("moderation")["case"]
    )
