"""What a GraphQL document asks for, as nested names: enough of the language to see that nothing else is answered."""

import re
from typing import Any

_WORDS = re.compile(r"\.\.\.|[{}():$!,\[\]]|\"[^\"]*\"|[A-Za-z_]\w*|\d+")
Fields = dict[str, Any]


def selected(document: str) -> Fields:
    """The fields of its one operation; `... on Kind` stands under that name."""
    words = _WORDS.findall(document)
    fragments: dict[str, Fields] = {}
    operation: Fields = {}
    at = 0
    while at < len(words):
        is_fragment, name = words[at] == "fragment", words[at + 1]
        if not is_fragment:
            at = _past_arguments(words, words.index("(", at)) if words[at + 1] == "(" else at + 1
        at = words.index("{", at)
        fields, at = _fields(words, at + 1)
        if is_fragment:
            fragments[name] = fields
        else:
            operation = fields
    return _filled(operation, fragments)


def project(told: Any, fields: Fields) -> Any:
    """Of what is told, exactly what is asked for; KeyError when there is not all of it."""
    if isinstance(told, list):
        return [project(one, fields) for one in told]
    return (
        {name: project(told[name], inner) if inner else told[name] for name, inner in fields.items()} if told else told
    )


def names_of(told: Any) -> Any:
    """The names of a message, nested like `selected`; a list's are those of its items together."""
    if isinstance(told, list):
        together: Fields = {}
        for one in told:
            together |= names_of(one) or {}
        return together or None
    return {name: names_of(inner) for name, inner in told.items()} if isinstance(told, dict) else None


def _fields(words: list[str], at: int) -> tuple[Fields, int]:
    found: Fields = {}
    while words[at] != "}":
        if words[at] == "...":
            is_inline = words[at + 1] == "on"
            name, at = ("... on " + words[at + 2], at + 3) if is_inline else ("..." + words[at + 1], at + 2)
        else:
            name, at = words[at], at + 1
        if words[at] == ":":  # an alias: its field's own name is not in the answer
            at += 2
        if words[at] == "(":
            at = _past_arguments(words, at)
        found[name] = None
        if words[at] == "{":
            found[name], at = _fields(words, at + 1)
    return found, at + 1


def _past_arguments(words: list[str], at: int) -> int:
    depth = 0
    while True:
        depth += {"(": 1, ")": -1}.get(words[at], 0)
        at += 1
        if not depth:
            return at


def _filled(fields: Fields, fragments: dict[str, Fields]) -> Fields:
    found: Fields = {}
    for name, inner in fields.items():
        if name.startswith("...") and not name.startswith("... on "):
            found |= _filled(fragments[name[3:]], fragments)
        else:
            found[name] = _filled(inner, fragments) if inner else None
    return found
