"""Files of other people, read row by row: a bad line is skipped with its number and reason, the rest goes on.

Memory stays bounded however large the file is, also when a quote opens and never closes.
"""

import csv
import os
import re
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from app.errors import Problem

FORMATS = ("csv", "jsonl")
LONGEST_RECORD = 256 * 1024
REASONS_KEPT = 10_000
PLAIN_LINE_EVERY = 5.0
BOM = b"\xef\xbb\xbf"
NOT_TEXT = {
    b"\xff\xfe": "is UTF-16 text. Save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text. Save it as UTF-8",
    b"PK": "is a spreadsheet or an archive. Export it as CSV",
    b"\x1f\x8b": "is compressed. Unpack it first",
}


class BadFile(Problem):
    """The file cannot be imported."""

    status = 422
    type = "bad-file"
    title = "This file cannot be imported"


class Row(msgspec.Struct):
    """One record: the line it begins on and its fields by name. With a `problem` it could not be read."""

    line: int
    values: dict[str, Any] = {}
    problem: str = ""


class Skip(msgspec.Struct):
    line: int
    reason: str


class Report(msgspec.Struct):
    """What an import did. `reasons` keeps the first ten thousand; all were written to stderr as they came."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    reasons: list[Skip] = []


class Source(msgspec.Struct):
    """An open file, its report, and where to say something while the bar moves."""

    file: BinaryIO
    format: str
    report: Report
    say: Callable[[str], None]

    def batches(self, needed: Collection[str], *, size: int = 200) -> Iterator[list[Row]]:
        """Readable rows, some at a time; the others are reported as skipped."""
        batch: list[Row] = []
        for row in rows(self.file, self.format, needed):
            self.report.read += 1
            if row.problem:
                self.skip(row.line, row.problem)
            else:
                batch.append(row)
            if len(batch) >= size:
                yield batch
                batch = []
        if batch:
            yield batch

    def skip(self, line: int, reason: str) -> None:
        self.report.skipped += 1
        if len(self.report.reasons) < REASONS_KEPT:
            self.report.reasons.append(Skip(line, reason))
        self.say(f"line {line} skipped: {reason}")


@contextmanager
def reading(path: str | Path, what: str, *, format: str | None = None) -> Iterator[Source]:
    """The file at `path` ("-" is stdin) with a bar by bytes on a terminal and a line now and then elsewhere."""
    format = format or ("jsonl" if Path(path).suffix.lower() in (".jsonl", ".ndjson", ".json") else "csv")
    if format not in FORMATS:
        raise BadFile(f"The formats are {' and '.join(FORMATS)}, not “{format}”.")
    try:
        opened = sys.stdin.buffer if str(path) == "-" else Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise BadFile(f"{path} cannot be read ({os.strerror(error.errno or 0)}).") from error
    with opened, _telling(opened, what) as (counted, say):
        yield Source(counted, format, Report(), say)


def columns_of(mapping: str, fields: Collection[str]) -> dict[str, str]:
    """`title=Title,body="Review Text"` as {our field: their column}; a field that is not mentioned has our own name."""
    given = {name: column.strip('"') for name, column in re.findall(r'(\w+)=("[^"]*"|[^,]*)', mapping)}
    if unknown := [name for name in given if name not in fields]:
        raise BadFile(f"--map knows {_listed(sorted(fields))}, not {_listed(unknown)}.")
    return {field: given.get(field, field) for field in fields}


def rows(file: BinaryIO, format: str, needed: Collection[str]) -> Iterator[Row]:
    """Every record of the file in order. Raises BadFile when the file as a whole is not what was asked for."""
    lines = _lines(file)
    if format == "csv":
        yield from _csv_rows(lines, needed)
    else:
        yield from _jsonl_rows(lines, needed)


def _csv_rows(lines: Iterator["_Line"], needed: Collection[str]) -> Iterator[Row]:
    first = next((line for line in lines if line.problem or line.text.strip()), None)
    if first is None:
        raise BadFile("The file is empty.")
    header, delimiter = _header(first, needed)
    for start, fields, problem in _records(lines, delimiter):
        if not problem and len(fields) != len(header):
            problem = f"fields: {len(fields)}, but the header has {len(header)}"
        yield Row(start, {} if problem else dict(zip(header, fields, strict=True)), problem)


def _header(line: "_Line", needed: Collection[str]) -> tuple[list[str], str]:
    if line.problem:
        raise BadFile(f"The header (line {line.number}) cannot be read: {line.problem}.")
    delimiter = max(",;\t", key=line.text.count)
    try:
        header = [name.strip() for name in next(csv.reader([line.text], delimiter=delimiter, strict=True))]
    except csv.Error as error:
        raise BadFile(f"The header (line {line.number}) has broken quoting.") from error
    if missing := [name for name in needed if name not in header]:
        raise BadFile(f"The header lacks {_listed(missing)}. It has {_listed(header)}.")
    if twice := sorted({name for name in header if name and header.count(name) > 1}):
        raise BadFile(f"The header names {_listed(twice)} more than once.")
    return header, delimiter


def _records(lines: Iterator["_Line"], delimiter: str) -> Iterator[tuple[int, list[str], str]]:
    """Records of one or more lines. After a record that cannot be, reading goes on at the line after its first."""
    waiting: deque[_Line] = deque()
    taken: list[_Line] = []

    def feed() -> Iterator[str]:
        size = 0
        while line := (waiting.popleft() if waiting else next(lines, None)):
            size = size + len(line.text) if taken else len(line.text)
            taken.append(line)
            if size > LONGEST_RECORD:
                raise csv.Error("too long")
            yield line.text

    reader = csv.reader(feed(), delimiter=delimiter, strict=True)
    while True:
        taken.clear()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error:
            first, rest = taken[0], taken[1:]
            yield first.number, [], first.problem or "broken quoting"
            waiting.extendleft(reversed(rest))
            reader = csv.reader(feed(), delimiter=delimiter, strict=True)
            continue
        problem = next((line.problem for line in taken if line.problem), "")
        if fields or problem:
            yield taken[0].number, fields, problem


def _jsonl_rows(lines: Iterator["_Line"], needed: Collection[str]) -> Iterator[Row]:
    for line in lines:
        if not line.problem and not line.text.strip():
            continue
        yield _json_row(line, needed)


def _json_row(line: "_Line", needed: Collection[str]) -> Row:
    if line.problem:
        return Row(line.number, problem=line.problem)
    try:
        values = msgspec.json.decode(line.text)
    except (msgspec.DecodeError, RecursionError):
        return Row(line.number, problem="not valid JSON")
    if not isinstance(values, dict):
        return Row(line.number, problem="not a JSON object")
    if missing := [name for name in needed if name not in values]:
        return Row(line.number, problem=f"lacks {_listed(missing)}")
    return Row(line.number, values)


class _Line(msgspec.Struct):
    number: int
    text: str
    problem: str = ""


def _lines(file: BinaryIO) -> Iterator[_Line]:
    number = 0
    while raw := file.readline(LONGEST_RECORD + 1):
        number += 1
        if number == 1:
            raw = _checked_start(raw)
        if len(raw) > LONGEST_RECORD:
            while raw and not raw.endswith(b"\n"):
                raw = file.readline(LONGEST_RECORD)
            yield _Line(number, "", f"longer than {LONGEST_RECORD // 1024} KB")
            continue
        try:
            yield _Line(number, raw.decode())
        except UnicodeDecodeError:
            # Replaced, so that the quotes still close where they should; the record itself is refused.
            yield _Line(number, raw.decode(errors="replace"), "not valid UTF-8")


def _checked_start(raw: bytes) -> bytes:
    for magic, what in NOT_TEXT.items():
        if raw.startswith(magic):
            raise BadFile(f"The file {what}.")
    return raw.removeprefix(BOM)


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"“{name[:40]}”" for name in list(names)[:20])


class _Counted:
    """A file that tells how far it has been read."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file, self._tell, self._read = file, tell, 0

    def readline(self, most: int = -1) -> bytes:
        raw = self._file.readline(most)
        self._read += len(raw)
        self._tell(self._read)
        return raw


@contextmanager
def _telling(file: BinaryIO, what: str) -> Iterator[tuple[BinaryIO, Callable[[str], None]]]:
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    size = _size(file)
    if console.is_terminal:
        columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn()
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(what, total=size)
            yield _Counted(file, lambda read: bar.update(task, completed=read)), console.print  # type: ignore[misc]
    else:
        yield _Counted(file, _plain_lines(console, what, size)), console.print  # type: ignore[misc]


def _plain_lines(console: Console, what: str, size: int | None) -> Callable[[int], None]:
    said = time.monotonic()

    def tell(read: int) -> None:
        nonlocal said
        if time.monotonic() - said > PLAIN_LINE_EVERY:
            said = time.monotonic()
            console.print(f"{what}: {f'{100 * read // size} %' if size else f'{read:,} bytes'}")

    return tell


def _size(file: BinaryIO) -> int | None:
    with suppress(OSError, AttributeError):
        return os.fstat(file.fileno()).st_size or None
    return None
