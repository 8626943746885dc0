import pytest

from app.sheets import safe_cell, sheet_line


@pytest.mark.parametrize("cell", ["=1+1", "+49", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1", "-1+1", "+1", "-"])
def test_what_a_spreadsheet_would_run_is_text(cell: str):
    assert safe_cell(cell) == "'" + cell


def test_figures_and_words_stay_what_they_are():
    for cell in ("-4.00", "10.00", "0", "-1", "Trail pack", "拖把", ""):
        assert safe_cell(cell) == cell


def test_a_line_keeps_its_commas_and_quotes():
    assert sheet_line(("a,b", 'say "hi"', -3, "=1")) == '"a,b","say ""hi""",-3,\'=1\r\n'
