"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from content.questions.schemas import AnswerView, Made, NewAnswer, NewQuestion, QuestionPage, QuestionView

_at = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

new_question = NewQuestion("Does the handle come off for travelling?")
new_answer = NewAnswer("It does, and it clips to the side.")
made = Made("6")
questions = QuestionPage(
    [
        QuestionView(
            "6",
            "Does the handle come off for travelling?",
            "ada",
            _at,
            [AnswerView("9", "bob", "<p>It does, and it clips to the side.</p>", False, _at)],
        )
    ],
    None,
)
