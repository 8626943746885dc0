import msgspec

from app.errors import Problem


class BadSignature(Problem):
    """The signature is missing, wrong or too old. Nothing was kept."""

    status = 401
    type = "bad-signature"
    title = "Not signed by this store"


class SameIdOtherBody(Problem):
    """This message id came before, with another body. The first one stands."""

    status = 409
    type = "same-id-other-body"
    title = "Already received differently"


class NotUnderstood(Exception):
    """A message we have no use for (yet); it is kept."""


class Received(msgspec.Struct):
    """It is durable here."""

    received: bool
