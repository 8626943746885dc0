"""What can go wrong for a person, each with a status, a stable type and a sentence that says what to do."""


class Problem(Exception):
    """An expected failure. Rendered as a page, an htmx fragment or RFC 9457 problem+json (see app.faces)."""

    status = 400
    type = "problem"
    title = "That did not work"
    retry_after = 0
    """In so many seconds it may work, where waiting helps."""

    def __init__(self, detail: str = "", *, fields: dict[str, str] | None = None) -> None:
        self.detail = detail or self.__doc__ or self.title
        self.fields = fields or {}
        super().__init__(self.detail)


class Invalid(Problem):
    """One or more fields need another look."""

    status = 422
    type = "invalid"
    title = "Please check what you entered"

    def __init__(self, field: str, detail: str, more: dict[str, str] | None = None) -> None:
        super().__init__(detail, fields={field: detail, **(more or {})})


class Malformed(Problem):
    """The request could not be read."""

    status = 400
    type = "malformed"
    title = "The request could not be read"


class SignInFirst(Problem):
    """Sign in to do this."""

    status = 401
    type = "sign-in"
    title = "Please sign in"


class Forbidden(Problem):
    """You may not do this."""

    status = 403
    type = "forbidden"
    title = "Not allowed"


class CrossSite(Forbidden):
    """This form came from another page or is too old. Go back, reload and send it again."""

    type = "csrf"
    title = "The form has expired"


class NotFound(Problem):
    """There is nothing here, or it is not for you to see."""

    status = 404
    type = "not-found"
    title = "Nothing here"


class MethodNotAllowed(Problem):
    """This address does not take that kind of request."""

    status = 405
    type = "method"
    title = "Not that way"


class Conflict(Problem):
    """Somebody was faster, or this was done before."""

    status = 409
    type = "conflict"
    title = "Already done"


class Gone(Problem):
    """This is no longer here."""

    status = 410
    type = "gone"
    title = "No longer here"


class TooLarge(Problem):
    """That is larger than this server takes."""

    status = 413
    type = "too-large"
    title = "Too large"


class TooMany(Problem):
    """That was a lot in a short time. Please wait a little and try again."""

    status = 429
    type = "too-many"
    title = "A little slower, please"
    retry_after = 60

    def __init__(self, detail: str = "", *, retry_after: int = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Unavailable(Problem):
    """A part of the server is not ready. Nothing was lost; please try again in a minute."""

    status = 503
    type = "unavailable"
    title = "Back in a moment"
