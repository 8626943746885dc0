"""What is handed to people beside the code: the set for Docker, the locks and the licence."""

import json
import re
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from app import settings

ROOT = Path(__file__).parents[1]

WORDS: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
SCALARS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}}
DURATION = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}
HEALTH: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "test": {**WORDS, "prefixItems": [{"enum": ["CMD", "CMD-SHELL", "NONE"]}], "minItems": 2},
        "interval": DURATION,
        "timeout": DURATION,
        "start_period": DURATION,
        "retries": {"type": "integer", "minimum": 1},
        "disable": {"type": "boolean"},
    },
    "oneOf": [{"required": ["test"]}, {"required": ["disable"]}],
}
NEEDS = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": False,
        "required": ["condition"],
        "properties": {"condition": {"enum": ["service_started", "service_healthy", "service_completed_successfully"]}},
    },
}
SERVICE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "build": {"type": "string"},
        "image": {"type": "string", "pattern": r"^[a-z0-9./-]+(:[\w.-]+)?$"},
        "command": WORDS,
        "entrypoint": WORDS,
        "environment": SCALARS,
        "depends_on": NEEDS,
        "restart": {"enum": ["no", "always", "on-failure", "unless-stopped"]},
        "ports": {"type": "array", "items": {"type": "string", "pattern": r"^(\d+:)?\d+(/(tcp|udp))?$"}},
        "expose": {"type": "array", "items": {"type": "string", "pattern": r"^\d+$"}},
        "volumes": {"type": "array", "items": {"type": "string", "pattern": r"^[a-z]+:/[\w./-]+$"}},
        "configs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["source", "target"],
                "additionalProperties": False,
                "properties": {"source": {"type": "string"}, "target": {"type": "string", "pattern": "^/"}},
            },
        },
        "healthcheck": HEALTH,
        "deploy": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"replicas": {"type": "integer", "minimum": 0}},
        },
        "shm_size": {"type": "string", "pattern": r"^\d+[kmg]b$"},
        "stop_grace_period": DURATION,
    },
}
COMPOSE: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["services"],
    "patternProperties": {"^x-": {}},
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        "services": {"type": "object", "additionalProperties": SERVICE, "minProperties": 1},
        "volumes": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
        "configs": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["content"],
                "additionalProperties": False,
                "properties": {"content": {"type": "string"}},
            },
        },
    },
}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def test_docker_compose_holds_only_what_the_compose_format_knows(compose: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(COMPOSE).validate(compose)


def test_docker_compose_keeps_to_docker_s_own_schema(compose: dict[str, Any]) -> None:
    """Docker's package is of 2021: `name` and a config's `content` came later and are left to the test above."""
    schema = json.loads(
        Path(distribution("docker-compose").locate_file("compose/config/compose_spec.json")).read_text()
    )
    known_then = {key: value for key, value in compose.items() if key != "name"}
    known_then["configs"] = {name: {"file": name} for name in compose["configs"]}
    jsonschema.Draft7Validator(schema).validate(known_then)
    broken = {**known_then, "services": {"web": {"image": "x", "prots": ["80:80"]}}}
    assert not jsonschema.Draft7Validator(schema).is_valid(broken)


@pytest.mark.parametrize("part", ["web", "worker", "migrate", "postgres", "valkey", "meilisearch", "storage"])
def test_every_part_of_the_set_at_size_is_there(compose: dict[str, Any], part: str) -> None:
    assert part in compose["services"]


def test_whatever_a_service_refers_to_exists(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for other, needs in service.get("depends_on", {}).items():
            assert other in compose["services"], f"{name} waits for {other}"
            if needs["condition"] == "service_healthy":
                assert "test" in compose["services"][other]["healthcheck"], f"{other} cannot become healthy"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in compose["volumes"]
        for config in service.get("configs", []):
            assert config["source"] in compose["configs"]


def test_every_grapevine_setting_that_is_named_for_docker_exists(compose: dict[str, Any]) -> None:
    known = {f"GRAPEVINE_{name}" for name in settings.NAMES}
    for name, service in compose["services"].items():
        named = {key for key in service.get("environment", {}) if key.startswith("GRAPEVINE_")}
        assert named <= known, name
    in_image = set(re.findall(r"GRAPEVINE_\w+", (ROOT / "Dockerfile").read_text()))
    assert in_image <= known


def test_every_value_that_docker_compose_asks_for_is_in_the_example(compose: dict[str, Any]) -> None:
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    given = set(re.findall(r"^(\w+)=", (ROOT / "deploy.env.example").read_text(), re.M))
    assert asked == given


def test_the_settings_of_docker_compose_would_start_in_production(compose: dict[str, Any]) -> None:
    filled = {
        # ${NAME:-} may stay empty, the others are filled in.
        key: re.sub(r"\$\{\w+(:-)?[^}]*\}", lambda found: "" if found[1] else "x" * 40, str(value))
        for key, value in compose["services"]["web"]["environment"].items()
    }
    assert settings.load(filled).is_production


def test_docker_commands_are_commands_of_ours(compose: dict[str, Any]) -> None:
    from app.cli import main

    for name in ("web", "worker", "migrate"):
        assert compose["services"][name]["command"][0] in main.commands


def test_the_image_copies_every_package_of_ours() -> None:
    copied = set(re.findall(r"^COPY (\w+) ", (ROOT / "Dockerfile").read_text(), re.M))
    ours = {folder.name for folder in ROOT.iterdir() if (folder / "__init__.py").exists()} - {"tests"}
    assert ours <= copied
    assert all((ROOT / name).is_dir() for name in copied)


@pytest.mark.parametrize("lock", sorted(path.name for path in ROOT.glob("requirements*.lock")))
def test_a_lock_pins_every_package_with_hashes_and_names_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()
    for entry in re.split(r"\n(?=[a-z0-9])", text.strip()):
        assert re.match(r"[a-z0-9.-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry
    assert not re.search(r"https?://|--index|--extra-index|--find-links", text)


def test_every_package_we_ask_for_is_in_its_lock() -> None:
    for wanted in ROOT.glob("requirements*.in"):
        locked = set(re.findall(r"^([a-z0-9.-]+)==", wanted.with_suffix(".lock").read_text(), re.M))
        if wanted.name == "requirements-dev.in":
            locked |= set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text(), re.M))
        names = {re.split(r"[\[=<>; ]", line)[0] for line in wanted.read_text().splitlines() if re.match("[a-z]", line)}
        assert names <= locked, wanted.name


def test_the_front_end_lock_names_no_registry_and_has_every_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((ROOT / "package.json").read_text())
    assert packages[""].get("dependencies") == wanted.get("dependencies")
    assert packages[""].get("devDependencies") == wanted.get("devDependencies")
    for name, package in packages.items():
        assert "resolved" not in package
        assert name == "" or package["integrity"].startswith("sha512-")


def test_the_licence_is_the_same_wherever_it_is_named() -> None:
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["license"] == "MIT"
    assert json.loads((ROOT / "package.json").read_text())["license"] == "MIT"


@pytest.mark.parametrize("command", ["setup", "demo", "dev", "test", "ci"])
def test_a_command_in_bin_can_be_run_and_parses(command: str) -> None:
    path = ROOT / "bin" / command
    assert path.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", path]).returncode == 0
