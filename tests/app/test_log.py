import io
import logging

import pytest

from app import log


@pytest.mark.parametrize("as_json", [True, False])
def test_a_logged_crash_tells_where_and_never_what_the_variables_held(as_json: bool, monkeypatch: pytest.MonkeyPatch):
    said = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr("sys.stderr", said)
    try:
        log.configure(as_json=as_json)
        password = "correct horse"
        try:
            raise ZeroDivisionError(len(password))
        except ZeroDivisionError:
            logging.getLogger("app.test").exception("it broke")
    finally:
        root.handlers[:], root.level = before
    assert "it broke" in said.getvalue() and "ZeroDivisionError" in said.getvalue()
    assert "correct horse" not in said.getvalue()
