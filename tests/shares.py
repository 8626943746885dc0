"""A pytest plugin: run one share of the suite, and tell in JSON how it went. For tests/lanes.py.

python -m pytest -p tests.shares --share browser      what drives a browser
python -m pytest -p tests.shares --share 2/3          the second of three parts of all the rest, file by file
"""

import json
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--share", default="", help="browser, or n/m of the rest")
    parser.addoption("--told-to", default="", help="write how it went into this file")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    share = config.getoption("--share")
    if not share:
        return
    files = sorted({item.path for item in items if not in_browser(item)})
    mine = {item for item in items if is_in(share, item, files)}
    config.hook.pytest_deselected(items=[item for item in items if item not in mine])
    items[:] = [item for item in items if item in mine]


def in_browser(item: pytest.Item) -> bool:
    return item.get_closest_marker("journey") is not None


def is_in(share: str, item: pytest.Item, files: list[Path]) -> bool:
    if share == "browser" or in_browser(item):
        return share == "browser" and in_browser(item)
    number, _, of = share.partition("/")
    return files.index(item.path) % int(of) == int(number) - 1


def pytest_terminal_summary(terminalreporter, exitstatus: int, config: pytest.Config) -> None:  # type: ignore[no-untyped-def]
    if not config.getoption("--told-to"):
        return
    stats = terminalreporter.stats
    broken = [report.nodeid for name in ("failed", "error") for report in stats.get(name, [])]
    told = {
        "passed": len(stats.get("passed", [])),
        "skipped": len(stats.get("skipped", [])),
        # A test that failed and whose clean-up failed too is one.
        "broken": sorted(set(broken)),
        "slowest": sorted(
            ((report.duration, report.nodeid) for reports in stats.values() for report in reports
             if getattr(report, "when", "") == "call"), reverse=True,
        )[:5],
    }  # fmt: skip
    Path(config.getoption("--told-to")).write_text(json.dumps(told))
