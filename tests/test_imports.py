"""Call down, announce up: an import only ever points down this list."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent

# The order of the house, lowest first. A feature may import itself and anything before it.
HOUSE = (
    "app",
    "community.members",
    "community.privacy",
    "community.sessions",
    "community.media",
    "community.notifications",
    "community.phones",
    "community.webhooks",
    "community.moderation",
    "community.groups",
    "community.topics",
    "community.chat",
    "community.direct",
    "community.bots",
    "storefront.stores",
    "storefront.catalog",
    "storefront.orders",
    "storefront.connectors",
    "content.reviews",
    "content.questions",
    "content.guides",
    "content.product_rooms",
    "content.live_events",
    "referrals.agreement",
    "referrals.programs",
    "referrals.partners",
    "referrals.links",
    "referrals.kit",
    "referrals.clicks",
    "referrals.codes",
    "referrals.attribution",
    "referrals.ledger",
    "referrals.credit",
    "referrals.commissions",
    "referrals.socials",
    "referrals.bounties",
    "referrals.statements",
    "referrals.identity",
    "referrals.payouts",
    "referrals.simulator",
    "referrals.fraud",
    "referrals.objections",
    "referrals.webhooks",
    "referrals.campaigns",
    "referrals.books",
    "referrals.live_cards",
    "referrals.earn",
    "search",
    "frontend",
    "demo",
    "app.roof",
)
# The roof lives in app/ too, but stands on everything.
ROOF = {
    f"app.{name}"
    for name in (
        "main",
        "features",
        "worker",
        "__main__",
        "piccolo_conf",
        "migrate",
        "health",
        "doctor",
        "run_demo",
        "people",
        "backup",
    )
}
AREAS = {"app", "community", "storefront", "content", "referrals", "growth", "search", "frontend", "demo"}


def place(module: str) -> int | None:
    """Where a module stands in the house; None for one that is not ours."""
    if module.split(".")[0] not in AREAS:
        return None
    if module in ROOF or module.startswith("app.cli"):
        return HOUSE.index("app.roof")
    parts = module.split(".")
    for length in (2, 1):
        if (name := ".".join(parts[:length])) in HOUSE:
            return HOUSE.index(name)
    raise AssertionError(f"{module} has no place in the house: add its feature to HOUSE")


def our_modules() -> list[tuple[str, Path]]:
    found = []
    for area in sorted(AREAS):
        for file in sorted((ROOT / area).rglob("*.py")):
            relative = file.relative_to(ROOT)
            if "migrations" in relative.parts or file.name in ("piccolo_app.py", "__init__.py"):
                continue
            found.append((".".join(relative.with_suffix("").parts), file))
    return found


def imports_of(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            # `from community import groups` names a feature as well.
            names |= {f"{node.module}.{alias.name}" for alias in node.names if node.module in AREAS}
    return names


def is_module(name: str) -> bool:
    path = ROOT / Path(*name.split("."))
    return path.with_suffix(".py").exists() or path.is_dir()


def test_every_import_points_down():
    upward = []
    for module, file in our_modules():
        mine = place(module)
        for name in imports_of(ast.parse(file.read_text())):
            if not is_module(name) or name in ("app", "community", "storefront", "content", "referrals"):
                continue
            theirs = place(name)
            if theirs is not None and mine is not None and theirs > mine:
                upward.append(f"{module} imports {name}")
    assert upward == []


def test_nothing_hides_an_import_behind_type_checking():
    hidden = [module for module, file in our_modules() if "TYPE_CHECKING" in file.read_text()]
    assert hidden == []


def test_a_planted_upward_import_would_be_seen():
    assert place("community.groups.service") < place("referrals.links.service")
    assert place("app.db") < place("community.members.service") < place("app.main")
