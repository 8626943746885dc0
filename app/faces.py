"""The three faces of a Problem: a page for a person, a fragment for htmx, problem+json for a program."""

import logging
from typing import Any

import asyncpg
import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotAuthorizedException, ValidationException

from app import auth, db, errors, web
from app.errors import Problem
from app.settings import settings

log = logging.getLogger(__name__)

BY_STATUS: dict[int, type[Problem]] = {
    401: errors.SignInFirst,
    403: errors.Forbidden,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    410: errors.Gone,
    413: errors.TooLarge,
    429: errors.TooMany,
    503: errors.Unavailable,
}


def wants_json(request: Request) -> bool:
    path = request.scope["path"]
    return path.startswith(("/api/", "/webhooks/", "/hooks/")) or request.headers.get("accept", "").startswith(
        "application/json"
    )


def show_problem(request: Request, problem: Problem) -> Response:
    """The problem in the face this request asked for."""
    headers = {"Cache-Control": "no-store"}
    if problem.retry_after:
        headers["Retry-After"] = str(problem.retry_after)
    if wants_json(request):
        if isinstance(problem, errors.SignInFirst):
            headers["WWW-Authenticate"] = "Bearer"
        return _as_json(problem, headers)
    if request.headers.get("hx-request"):
        # The message lands beside the form instead of replacing what was typed.
        headers |= {"HX-Retarget": "#problems", "HX-Reswap": "innerHTML"}
        return web.render(request, "errors/_fragment.html", _viewer(request), problem.status, headers, problem=problem)
    if isinstance(problem, errors.SignInFirst) and request.method == "GET":
        return web.redirect("/login?next=" + web.quoted_path(request), status=303)
    return web.render(
        request,
        "errors/page.html",
        _viewer(request),
        problem.status,
        headers,
        problem=problem,
        is_somebody=_is_somebody(request),
    )


def show_http_exception(request: Request, error: HTTPException) -> Response:
    """Litestar's own refusals, as one of our Problems."""
    if isinstance(error, ValidationException):
        fields = {item.get("key") or "body": item["message"] for item in error.extra or [] if isinstance(item, dict)}
        if any(isinstance(i, dict) and i.get("source") == "path" for i in error.extra or []):
            return show_problem(request, errors.NotFound())
        problem: Problem = errors.Malformed("Some values could not be read.", fields=fields)
    elif isinstance(error, NotAuthorizedException):
        problem = errors.SignInFirst()
    else:
        problem = BY_STATUS.get(error.status_code, errors.Malformed)()
        if error.status_code >= 500:
            return show_crash(request, error)
    return show_problem(request, problem)


def show_crash(request: Request, error: Exception) -> Response:
    """A bug: logged with the request id, which the page shows so that it can be found."""
    log.exception("unhandled error", exc_info=error)
    problem = Problem("Something broke on our side. It has been written down; trying again may help.")
    problem.status, problem.type, problem.title = 500, "crash", "Something broke"
    return show_problem(request, problem)


def show_away(request: Request, error: Exception) -> Response:
    """The database restarts or was killed: who asks again in a moment is served, and one line in the log is enough."""
    log.warning("the database is away: %s", error)
    return show_problem(request, errors.Unavailable())


def show_unsearchable(request: Request, error: asyncpg.DataError) -> Response:
    """A NUL byte or a number beyond 64 bits in an address: PostgreSQL cannot even look for such a thing."""
    log.warning("a value that the database cannot take: %s", error)
    if request.method in auth.SAFE_METHODS:
        return show_problem(request, errors.NotFound())
    return show_problem(request, errors.Malformed("A value holds characters or numbers that cannot be stored."))


def show_undecodable(request: Request, error: UnicodeDecodeError) -> Response:
    """A part of a form in some other encoding; the framework reads forms strictly as UTF-8."""
    log.warning("a form that is not UTF-8", exc_info=error)
    return show_problem(request, errors.Malformed("The form is not valid UTF-8."))


HANDLERS: dict[int | type[Exception], Any] = {
    Problem: show_problem,
    HTTPException: show_http_exception,
    asyncpg.DataError: show_unsearchable,
    **dict.fromkeys(db.AWAY, show_away),
    UnicodeDecodeError: show_undecodable,
    Exception: show_crash,
}


def _as_json(problem: Problem, headers: dict[str, str]) -> Response:
    body = {
        "type": f"{settings().base_url}/problems/{problem.type}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "errors": [{"field": field, "detail": detail} for field, detail in problem.fields.items()],
        "request_id": structlog.contextvars.get_contextvars().get("request_id", ""),
    }
    return Response(
        msgspec.json.encode(body), status_code=problem.status, media_type="application/problem+json", headers=headers
    )


def _is_somebody(request: Request) -> bool:
    """An address without a page was never asked who looks: whoever may be signed in is not told to sign in."""
    return "viewer" not in request.state and auth.session_cookie_name() in request.cookies


def _viewer(request: Request) -> auth.Viewer:
    return request.state.get("viewer") or auth.STRANGER
