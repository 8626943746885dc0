"""Files of other people: what is read, what is skipped and why, and how little memory it takes."""

import io
import tracemalloc
from collections.abc import Iterator

import pytest

from app.importing import LONGEST_RECORD, BadFile, columns_of, reading, rows

HEADER = b"id,title,note\n"


def read(data: bytes, format: str = "csv", needed: tuple[str, ...] = ("id",)) -> list[tuple[int, str]]:
    """Every record as its line and either its id or why it was refused."""
    return [(row.line, row.problem or row.values["id"]) for row in rows(io.BytesIO(data), format, needed)]


def test_a_record_may_span_lines_and_hold_quotes():
    file = HEADER + b'1,"Two\nlines","says ""hi"""\r\n2,plain,\n'
    found = list(rows(io.BytesIO(file), "csv", ["id"]))
    assert [(row.line, row.values["note"]) for row in found] == [(2, 'says "hi"'), (4, "")]


def test_a_byte_order_mark_is_no_part_of_the_header():
    assert read(b"\xef\xbb\xbf" + HEADER + b"1,a,b\n") == [(2, "1")]


def test_semicolons_and_tabs_are_understood():
    assert read(b"id;title\n1;a,b\n") == read(b"id\ttitle\n1\ta,b\n") == [(2, "1")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"name,price\n1,2\n", "lacks “id”. It has “name”, “price”"),
        (b"id,id\n", "more than once"),
        (b'id,"title\n1,2\n', "broken quoting"),
        (b"\xff\xfei\x00d\x00", "UTF-16"),
        (b"id,\xff\n", "not valid UTF-8"),
        (b"PK\x03\x04xlsx", "Export it as CSV"),
        (b"\x1f\x8b", "compressed"),
        (b"id," + b"x" * LONGEST_RECORD + b"\n1,2\n", "longer than"),
    ],
)
def test_a_file_that_is_not_what_was_asked_for_is_refused_in_a_sentence(data: bytes, sentence: str):
    with pytest.raises(BadFile) as refused:
        read(data)
    assert sentence in refused.value.detail


def test_a_quote_that_never_closes_costs_its_own_line_only():
    rest = b"".join(b"%d,ok,\n" % n for n in range(3, 50_000))
    found = read(HEADER + b'1,"open,\n2,fine,\n' + rest)
    assert found[0] == (2, "broken quoting")
    assert len(found) == 49_999 and [row for row in found if not row[1].isdigit()] == [found[0]]


def test_a_quote_in_the_wrong_place_costs_its_own_line_only():
    assert read(HEADER + b'1,"a"b,\n2,"c",\n') == [(2, "broken quoting"), (3, "2")]


def test_a_record_with_too_few_or_too_many_fields_is_skipped():
    assert read(HEADER + b"1,a\n2,a,b,c\n\n3,a,b\n") == [
        (2, "fields: 2, but the header has 3"),
        (3, "fields: 4, but the header has 3"),
        (5, "3"),
    ]


def test_bytes_that_are_not_utf8_cost_their_own_record_only():
    assert read(HEADER + b'1,"caf\xe9\nau lait",\n2,caf\xc3\xa9,\n') == [(2, "not valid UTF-8"), (4, "2")]


def test_a_line_beyond_all_measure_is_skipped_and_the_next_one_read():
    assert read(HEADER + b"1," + b"x" * 3_000_000 + b",\n2,a,b\n") == [(2, "longer than 256 KB"), (3, "2")]


def test_formulas_and_nul_stay_what_they_are():
    (row,) = rows(io.BytesIO(HEADER + b"1,=HYPERLINK(1),a\x00b\n"), "csv", ["id"])
    assert row.values["title"] == "=HYPERLINK(1)" and row.values["note"] == "a\x00b"


def test_json_lines_are_read_one_by_one():
    data = b'{"id":"1"}\n\n[1]\n{"title":"x"}\n{"id":\n{"id":"2"}' + b"\n" + b"[" * 100_000
    assert read(data, "jsonl") == [
        (1, "1"),
        (3, "not a JSON object"),
        (4, "lacks “id”"),
        (5, "not valid JSON"),
        (6, "2"),
        (7, "not valid JSON"),
    ]


class Endless:
    """A gigabyte of CSV that nobody ever wrote to a disk."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines

    def readline(self, most: int = -1) -> bytes:
        return next(self._lines, b"")


@pytest.mark.parametrize(
    "line", [b'%d,"title","' + b"x" * 60_000 + b'"\n', b'%d,"never closed ' + b"x" * 60_000 + b"\n"]
)
def test_a_gigabyte_takes_a_few_megabytes_of_memory(line: bytes):
    """All of it is read, and the second half takes no more memory than the first."""
    many = 18_000

    def lines() -> Iterator[bytes]:
        yield HEADER
        for n in range(many):
            yield line % n

    count = 0
    tracemalloc.start()
    for _ in rows(Endless(lines()), "csv", ["id"]):  # type: ignore[arg-type]
        count += 1
        if count == many // 2:
            half, peak_half = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
    whole, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == many and many * len(line) > 1024**3
    assert peak < 12_000_000 and abs(whole - half) < 1_000_000 and peak < peak_half * 1.2 + 500_000


def test_a_report_counts_and_names_what_was_skipped(tmp_path, capsys):
    file = tmp_path / "list.csv"
    file.write_bytes(HEADER + b'1,a,b\n2,"x\n3,a,b\n')
    with reading(file, "Importing") as source:
        batches = [[row.values["id"] for row in batch] for batch in source.batches(["id"])]
    assert batches == [["1", "3"]]
    assert (source.report.read, source.report.skipped) == (3, 1)
    assert [(skip.line, skip.reason) for skip in source.report.reasons] == [(3, "broken quoting")]
    assert "line 3 skipped: broken quoting" in capsys.readouterr().err


def test_a_missing_file_and_an_unknown_format_are_refused(tmp_path):
    for path, format in ((tmp_path / "none.csv", None), (tmp_path, None), (tmp_path / "x", "xml")):
        with pytest.raises(BadFile), reading(path, "Importing", format=format):
            pass


def test_columns_may_have_other_names():
    assert columns_of('id=SKU,title="Item name",url=Link to shop', ("id", "title", "url", "price")) == {
        "id": "SKU",
        "title": "Item name",
        "url": "Link to shop",
        "price": "price",
    }
    with pytest.raises(BadFile):
        columns_of("colour=x", ("id",))
