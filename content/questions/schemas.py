from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta


class NewQuestion(msgspec.Struct, forbid_unknown_fields=True):
    body: Annotated[str, Meta(max_length=2000)]


class QuestionForm(NewQuestion, forbid_unknown_fields=False):
    """The same from a page."""


class NewAnswer(msgspec.Struct, forbid_unknown_fields=True):
    body: Annotated[str, Meta(max_length=10_000)]


class AnswerForm(NewAnswer, forbid_unknown_fields=False):
    """The same from a page."""


class AnswerView(msgspec.Struct):
    id: str
    author: str
    """A handle."""
    html: str
    official: bool
    """By the one who runs the store."""
    created_at: datetime


class QuestionView(msgspec.Struct):
    id: str
    body: str
    author: str
    created_at: datetime
    answers: list[AnswerView]


class QuestionPage(msgspec.Struct):
    items: list[QuestionView]
    next: str | None


class Made(msgspec.Struct):
    id: str
