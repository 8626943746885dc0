"""Column shorthands that say what Piccolo leaves to be forgotten: required really is, references are indexed."""

from typing import Any

from piccolo.columns import BigInt, Boolean, Bytea, ForeignKey, Integer, Text, Timestamptz
from piccolo.columns.base import OnDelete
from piccolo.columns.column_types import JSONB


def reference(table: Any, *, null: bool = False, cascade: bool = False, index: bool = True) -> ForeignKey:
    """A foreign key; `cascade` only where the row is a part of the other one."""
    return ForeignKey(
        table, null=null, default=None, index=index, on_delete=OnDelete.cascade if cascade else OnDelete.restrict
    )


def words(*, unique: bool = False, index: bool = False, optional: bool = False) -> Text:
    """Text; `optional` means it may be empty."""
    return Text(default="" if optional else None, null=False, unique=unique, index=index)


def moment(*, null: bool = False, index: bool = False) -> Timestamptz:
    return Timestamptz(default=None, null=null, index=index)


def count(start: int = 0) -> Integer:
    return Integer(default=start, null=False)


def amount() -> BigInt:
    """Minor units of the row's currency."""
    return BigInt(default=None, null=False)


def big(*, null: bool = False, index: bool = False) -> BigInt:
    return BigInt(default=None, null=null, index=index)


def yes_no(start: bool = False) -> Boolean:
    return Boolean(default=start, null=False)


def document() -> JSONB:
    return JSONB(default="{}", null=False)


def big_from(start: int) -> BigInt:
    return BigInt(default=start, null=False)


def raw_bytes(*, unique: bool = False, null: bool = False) -> Bytea:
    return Bytea(default=None, null=null, unique=unique)
