"""The OpenAPI document: what each JSON door takes, gives and refuses, said beside the door and true to msgspec.

A door says it in its `opt`: `@post(…, opt=door(takes=examples.new_topic, gives=examples.topic_made))`. Both are
examples, real values of the very structs; tests hold them against the schemas, and send them. The framework knows
addresses and parameters, msgspec the schemas of bodies (it is msgspec that checks them); here they are woven together.
"""

from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.params import FromPath
from litestar.routes import HTTPRoute

from app import errors
from app.errors import Problem
from app.idempotency import HEADER, KeyReused

JSON, PROBLEM = "application/json", "application/problem+json"
SCHEMAS = "#/components/schemas/{name}"

TAGS = {
    "members": "People, and the tokens that programs use for them",
    "groups": "Groups and who is in them",
    "topics": "Topics, their posts and reactions",
    "chat": "Rooms, their messages and the live socket",
    "moderation": "Telling the moderators",
    "catalog": "What a store sells",
    "products": "Products as the community sees them",
    "reviews": "Reviews of products",
    "questions": "Questions and answers about products",
    "guides": "Buying guides",
    "live": "Live events: products held up, questions, polls, the replay",
    "earn": "Share links, commissions and their reasons",
    "search": "One search over everything",
    "media": "Pictures",
    "webhooks": "What stores send",
}
PARAMETERS = {
    "after": "Where to go on: the `next` of the page before.",
    "limit": "How many, 1 to 100. More is answered like 100.",
    "slug": "The last part of its address.",
    "sort": "The order.",
}


class FieldProblem(msgspec.Struct):
    field: str
    detail: str


class ProblemView(msgspec.Struct):
    """What went wrong (RFC 9457). `type` is stable; `detail` is a sentence for a person; `errors` tells by field."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldProblem]
    request_id: str


class Door(msgspec.Struct, frozen=True):
    """What one door says of itself."""

    takes: Any = None
    gives: Any = None
    refuses: tuple[type[Problem], ...] = ()
    scope: str | None = None
    once: bool = False
    also: int | None = None
    file: str = ""
    headers: dict[str, str] = {}


def door(
    *,
    takes: Any = None,
    gives: Any = None,
    refuses: tuple[type[Problem], ...] = (),
    scope: str | None = None,
    once: bool = False,
    also: int | None = None,
    file: str = "",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """`opt` of a handler. `takes`, `gives`: examples. `refuses`: problems beyond those that follow from its kind.
    `scope`: what a token must carry (None: strangers too). `once`: it heeds an Idempotency-Key. `also`: a second good
    status. `file`: the multipart field of a picture. `headers`: headers it needs, each with an example."""
    return {"door": Door(takes, gives, refuses, scope, once, also, file, headers or {})}


class Document(JsonRenderPlugin):
    """/schema and /schema/openapi.json."""

    def render(self, request: Request, openapi_schema: dict[str, Any]) -> bytes:
        return msgspec.json.encode(document(request.app))


# Plain JSON as its media type: what OpenAPI registered for itself, browsers save instead of show.
CONFIG = OpenAPIConfig(
    title="Grapevine",
    version="1",
    path="/schema",
    render_plugins=[Document(path="/openapi.json", media_type=MediaType.JSON)],
)


def document(application: Litestar) -> dict[str, Any]:
    """The whole document, made once."""
    if "openapi" not in application.state:
        application.state["openapi"] = _woven(application)
    return application.state["openapi"]


@get("/problems/{name:str}", include_in_schema=False)
async def show_problem_type(name: FromPath[str]) -> Response[str]:
    """The address in a problem's `type` leads to what it means."""
    kind = next((kind for kind in all_problems() if kind.type == name), None)
    if kind is None:
        raise errors.NotFound()
    return Response(f"{kind.type} ({kind.status})\n\n{kind.title}. {kind.__doc__ or ''}\n", media_type=MediaType.TEXT)


def doors_of(application: Litestar) -> dict[tuple[str, str], HTTPRouteHandler]:
    """Every documented handler by method and path."""
    return {
        (method.lower(), route.path_format): handler
        for route in application.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
        if method != "OPTIONS" and handler.resolve_include_in_schema()
    }


def door_of(handler: HTTPRouteHandler) -> Door:
    return handler.opt.get("door") or Door()


def answer_type(handler: HTTPRouteHandler) -> Any:
    """What a handler's body holds; None when it answers without one."""
    returned = handler.parsed_fn_signature.return_type
    kind = returned.inner_types[0].annotation if returned.is_subclass_of(Response) else returned.annotation
    return None if kind is type(None) else kind


def all_problems() -> list[type[Problem]]:
    """One Problem for each stable type, by status and name."""
    found: dict[str, type[Problem]] = {}
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        kinds = waiting.pop(0).__subclasses__()
        waiting += kinds
        for kind in kinds:
            found.setdefault(kind.type, kind)
    return sorted(found.values(), key=lambda kind: (kind.status, kind.type))


def refusals_of(method: str, path: str, handler: HTTPRouteHandler) -> list[type[Problem]]:
    """The problems of a door: those that follow from its kind, and those it names."""
    said = door_of(handler)
    kinds: list[type[Problem]] = [*said.refuses]
    if handler.parsed_fn_signature.parameters.keys() - {"self", "request"}:
        kinds.append(errors.Malformed)
    if said.takes is not None or said.file:
        kinds += [errors.Malformed, errors.Invalid, errors.TooLarge]
    if said.scope:
        kinds.append(errors.Forbidden)
    if path.startswith("/api/"):
        kinds.append(errors.SignInFirst)
    if "{" in path:
        kinds.append(errors.NotFound)
    if said.once:
        kinds += [KeyReused, errors.Invalid]
    if method != "get":
        kinds += [errors.TooMany]
    return sorted(set(kinds), key=lambda kind: (kind.status, kind.type))


def _woven(application: Litestar) -> dict[str, Any]:
    known = application.openapi_schema.to_schema()
    doors = doors_of(application)
    kinds = [type(door_of(handler).takes) for handler in doors.values() if door_of(handler).takes is not None]
    kinds += [answer_type(handler) for handler in doors.values() if answer_type(handler)] + [ProblemView]
    shapes, schemas = msgspec.json.schema_components(kinds, ref_template=SCHEMAS)
    shape_of = dict(zip(map(repr, kinds), shapes, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for (method, path), handler in sorted(doors.items()):
        operation = _operation(known["paths"][path][method], method, path, handler, shape_of)
        paths.setdefault(path, {})[method] = operation
    return {
        "openapi": known["openapi"],
        "info": {
            "title": "Grapevine",
            "version": "1",
            "description": "Word of mouth as software: groups, chat, reviews, guides, and who is owed for a sale. "
            "Times are RFC 3339 UTC, money is integer minor units with a currency, ids are strings.",
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {kind.type: _refusal([kind]) for kind in all_problems()} | {"problem": _refusal([Problem])},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(
    known: dict[str, Any], method: str, path: str, handler: HTTPRouteHandler, shape_of: dict[str, Any]
) -> dict[str, Any]:
    said = door_of(handler)
    operation: dict[str, Any] = {
        "operationId": _operation_id(method, path),
        "tags": known.get("tags", []),
        "summary": known["summary"],
    }
    if known.get("description"):
        operation["description"] = known["description"]
    if parameters := [_parameter(one) for one in known.get("parameters", [])] + _headers(said):
        operation["parameters"] = parameters
    if body := _body(said, shape_of):
        operation["requestBody"] = {"required": True, "content": body}
    operation["responses"] = _answers(said, handler, shape_of) | _refusals(refusals_of(method, path, handler))
    if path.startswith("/api/"):
        operation["security"] = [{"bearer": [said.scope]}] if said.scope else [{}, {"bearer": []}]
    return operation


def _operation_id(method: str, path: str) -> str:
    """get_topics_topic_id_posts: stable, and a name in every language that code is generated for."""
    words = path.removeprefix("/api/v1").translate(str.maketrans("/", "_", "{}")).strip("_")
    return f"{method}_{words}"


def _parameter(known: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in known.items() if key in ("name", "in", "required", "schema", "description")}
    if not kept.get("description") and known["name"] in PARAMETERS:
        kept["description"] = PARAMETERS[known["name"]]
    return kept


def _headers(said: Door) -> list[dict[str, Any]]:
    needed = [
        {"name": name, "in": "header", "required": True, "schema": {"type": "string"}, "example": example}
        for name, example in said.headers.items()
    ]
    if said.once:
        needed.append(
            {
                "name": HEADER.title(),
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "Sent again under the same key, the request happens once and gets the first answer.",
                "example": "6f1f2c6e-9d0e-4f5a-8f4c-0d5b9f1e7a11",
            }
        )
    return needed


def _body(said: Door, shape_of: dict[str, Any]) -> dict[str, Any]:
    if said.file:
        picture = {"type": "string", "format": "binary"}
        form = {"type": "object", "properties": {said.file: picture}, "required": [said.file]}
        return {"multipart/form-data": {"schema": form, "example": {said.file: "(the bytes of a picture)"}}}
    if said.takes is None:
        return {}
    return {JSON: {"schema": shape_of[repr(type(said.takes))], "example": msgspec.to_builtins(said.takes)}}


def _answers(said: Door, handler: HTTPRouteHandler, shape_of: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for status in filter(None, (handler.status_code, said.also)):
        answers[str(status)] = {"description": HTTPStatus(status).phrase}
        if kind := answer_type(handler):
            content = {"schema": shape_of[repr(kind)], "example": msgspec.to_builtins(said.gives)}
            answers[str(status)]["content"] = {JSON: content}
    return answers


def _refusals(kinds: list[type[Problem]]) -> dict[str, Any]:
    """By status. One problem is a reference to it; several under one status stand there as examples."""
    by_status: dict[str, list[type[Problem]]] = {}
    for kind in kinds:
        by_status.setdefault(str(kind.status), []).append(kind)
    answers: dict[str, Any] = {}
    for status, several in by_status.items():
        one = len({kind.type for kind in several}) == 1
        answers[status] = {"$ref": f"#/components/responses/{several[0].type}"} if one else _refusal(several)
    return answers | {"default": {"$ref": "#/components/responses/problem"}}


def _refusal(kinds: list[type[Problem]]) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": " / ".join(kind.title for kind in kinds),
        "content": {
            PROBLEM: {
                "schema": {"$ref": SCHEMAS.format(name="ProblemView")},
                "examples": {kind.type: {"value": _example_of(kind)} for kind in kinds},
            }
        },
    }
    if any(kind.retry_after for kind in kinds):
        answer["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return answer


def _example_of(kind: type[Problem]) -> dict[str, Any]:
    fields = [FieldProblem("title", "This field may not be empty.")] if kind is errors.Invalid else []
    return msgspec.to_builtins(
        ProblemView(
            f"https://community.example/problems/{kind.type}",
            kind.title,
            kind.status,
            kind.__doc__ or kind.title,
            fields,
            "5f2b7c9d0a1e4f63",
        )
    )
