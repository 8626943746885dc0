from typing import Literal

import msgspec

Kind = Literal["text", "long", "url", "number", "choice", "yes_no"]


class Question(msgspec.Struct, frozen=True):
    """One question of an application, as the store wrote it."""

    label: str
    kind: Kind = "text"
    is_required: bool = False
    options: tuple[str, ...] = ()


class FormTold(msgspec.Struct):
    is_open: bool = True
    welcome: str = ""
    auto_below: int = 0
    questions: list[Question] = []


class NewInvite(msgspec.Struct):
    note: str = ""
    tier: str = ""
    most_uses: int = 1
    expires_on: str = ""


class Decision(msgspec.Struct):
    """Approve or decline; a declined applicant reads the reason."""

    verdict: str = ""
    reason: str = ""
    tier: str = ""


class NewAsset(msgspec.Struct):
    kind: str = "text"
    title: str = ""
    body: str = ""


class Application(msgspec.Struct):
    """One answer for each question, in their order; "" leaves one out."""

    answers: list[str]


class Partnership(msgspec.Struct):
    """Where you stand with a store: "none", "waiting", "approved", "declined", "left"; and what it asks."""

    store: str
    state: str
    tier: str
    reason: str
    is_open: bool
    welcome: str
    questions: list[Question]


class NewMessage(msgspec.Struct):
    body: str = ""


class MessageView(msgspec.Struct):
    id: str
    is_from_store: bool
    author: str
    body: str
    at: str


class MessageList(msgspec.Struct):
    items: list[MessageView]
    next: str | None
