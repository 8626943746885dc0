"""Sheets that people open in a spreadsheet: what members wrote stays text in it, and never becomes a formula."""

import csv
import io
from collections.abc import Iterable

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe_cell(value: object) -> str:
    """The cell, with a mark before what a spreadsheet would calculate; figures stay figures."""
    text = str(value)
    is_figure = text.replace(".", "", 1).removeprefix("-").isdigit()
    return "'" + text if text.startswith(_BEGINS_A_FORMULA) and not is_figure else text


def sheet_line(cells: Iterable[object]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerow([safe_cell(cell) for cell in cells])
    return file.getvalue()
