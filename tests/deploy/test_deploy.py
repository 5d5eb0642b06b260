"""The deployment files start Winback's roles, with no more rights than they need."""

import fnmatch
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from detectors.durations import parse_duration
from worker.settings import Settings, load
from worker.settings.keys import leaves, variable
from worker.supervision.roles import roles

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("winback:"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SECRET = re.compile(r"PASSWORD|SECRET|KEYS?$|AUTH|URL")

EXAMPLES = (".env.example", "deploy/systemd/winback.env.example", "deploy/kubernetes/secret.env.example")

each_service = pytest.mark.parametrize("name", SERVICES)


def specification_problems(file: Path) -> str:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    return ran.stdout if ran.returncode else ""


def test_the_compose_file_follows_the_compose_specification() -> None:
    assert specification_problems(COMPOSE) == ""


def test_invalid_compose_file_is_rejected(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(COMPOSE.read_text().replace("healthcheck:", "helthcheck:", 1))
    assert "helthcheck" in specification_problems(broken)


@each_service
def test_a_service_is_watched_and_started_again(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert {"test", "interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert "stop_grace_period" in service


@each_service
def test_a_service_has_no_right_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "env_file"} & service.keys()
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}
    assert all(mount.get("read_only") for mount in service.get("volumes", []) if mount["type"] == "bind")


@each_service
def test_published_port_is_on_loopback_only(name: str) -> None:
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{\w+:-\d+}:\d+", port) for port in SERVICES[name].get("ports", []))


def test_only_needed_ports_and_networks_are_reachable() -> None:
    assert yaml.safe_load(COMPOSE.read_text())["networks"]["state"] == {"internal": True}
    assert {name for name in SERVICES if "outside" in SERVICES[name].get("networks", [])} == {
        "redis",
        "recover",
        "flower",
        "metrics",
        "collect",
        "outcomes",
        "prometheus",
        "grafana",
    }
    published = {"redis", "flower", "metrics", "collect", "prometheus", "grafana"}
    assert {name for name in SERVICES if "ports" in SERVICES[name]} == published


@each_service
def test_no_secret_is_in_the_compose_file(name: str) -> None:
    for variable_name, value in SERVICES[name]["environment"].items():
        if SECRET.search(variable_name) and not variable_name.startswith("GF_AUTH_"):
            # None passes on the value from .env. A secret has no default, so a missing one stops the start.
            assert value is None or re.search(r"\$\{\w+:\?[^}]+}", value), variable_name
            assert ":-" not in (value or "")


def test_a_service_gets_only_the_secrets_that_it_uses() -> None:
    def holders(variable_name: str) -> set[str]:
        return {name for name in SERVICES if variable_name in SERVICES[name]["environment"]}

    assert holders("WINBACK_IDENTITY_SECRET") == {"ingest", "sweep", "recover", "collect", "record"}
    assert holders("WINBACK_ENCRYPTION_KEYS") == {"ingest", "recover", "collect"}
    assert holders("WINBACK_FLOWER__BASIC_AUTH") == {"flower"}
    assert holders("WINBACK_DELIVERY__PUBLIC_API_KEY") == {"recover", "mock-api"}
    assert holders("WINBACK_DELIVERY__PRIVATE_SECRET_KEY") == {"recover", "mock-api"}


def used_variables() -> dict[str, str]:
    """Return every variable of the compose file with its default; `?` if it is required."""
    used = {
        name: "" for service in SERVICES.values() for name, value in service["environment"].items() if value is None
    }
    # `$$` is a dollar sign for the shell inside the container.
    for name, mark, default in re.findall(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?}", COMPOSE.read_text()):
        assert mark, f"{name} has neither a default nor has to be set"
        used[name] = "?" if mark == "?" else default
    return used


def example_variables(file: Path) -> dict[str, str]:
    """Return every variable of an example file with its default; `?` if it is required."""
    lines = re.findall(r"^(# )?([A-Z][A-Z0-9_]+)=(.*)$", file.read_text(), re.MULTILINE)
    return {name: default if commented else "?" for commented, name, default in lines}


def test_env_example_explains_exactly_the_compose_variables() -> None:
    example = example_variables(ROOT / ".env.example")
    used = used_variables()
    assert example.keys() == used.keys()
    assert {name for name, value in example.items() if value == "?"} == {n for n, value in used.items() if value == "?"}
    assert {name: example[name] for name in used if used[name]} == {name: used[name] for name in used if used[name]}


@pytest.mark.parametrize("file", EXAMPLES)
def test_every_winback_variable_is_a_setting_with_its_default(file: str) -> None:
    defaults = Settings()
    known = {variable(path): path for path in leaves(Settings)}
    for name, shown in example_variables(ROOT / file).items():
        if not name.startswith("WINBACK_"):
            continue
        value: object = defaults
        for part in known[name]:
            value = getattr(value, part)
        assert shown in {"?", ""} or "PASSWORD" in shown or shown == value, name


@pytest.mark.parametrize("file", EXAMPLES)
def test_an_example_holds_no_secret_and_explains_each_variable(file: str) -> None:
    for paragraph in (ROOT / file).read_text().split("\n\n"):
        lines = paragraph.splitlines()
        if any(re.match(r"(# )?[A-Z][A-Z0-9_]+=", line) for line in lines):
            assert re.match(r"# (?![A-Z0-9_]+=)\S", lines[0]), paragraph
    assert not re.search(r"^[A-Z0-9_]*(PASSWORD|SECRET|KEY|AUTH)=.", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(set(OURS) - {"mock-api"}))
def test_a_role_starts_with_what_the_compose_file_gives_it(name: str) -> None:
    given = {"REDIS_PASSWORD": "0" * 64, "WINBACK_IDENTITY_SECRET": "0" * 64, "WINBACK_FLOWER__BASIC_AUTH": "shop:0000"}
    environment = {
        key: re.sub(r"\$\{(\w+)[^}]*}", lambda found: given[found[1]], value or "")
        for key, value in SERVICES[name]["environment"].items()
    }
    settings = load(environment, ROOT / "winback.toml")
    assert settings.redis_url == f"redis://:{'0' * 64}@redis:6379/0"
    assert settings.delivery.mode == "shadow"


def role_commands() -> dict[str, list[str]]:
    """Return the command of each role in shell form, without this interpreter."""
    programs = {"worker.celery_support.lean_celery": ["celery", "-A", "worker.app"], "winback": ["winback"]}
    return {role.name: [*programs[role.argv[2]], *role.argv[3:]] for role in roles(Settings())}


def test_compose_starts_each_role_like_winback_up() -> None:
    commands = {name: SERVICES[name]["command"] for name in OURS}
    # The mock and the metrics are optional: they only start when requested.
    assert SERVICES["mock-api"]["profiles"] == ["mock"]
    assert commands.pop("mock-api") == ["winback", "mock-api"]
    assert SERVICES["metrics"]["profiles"] == ["metrics", "observability"]
    assert commands.pop("metrics") == ["winback", "metrics", "--host", "0.0.0.0"]  # noqa: S104 - inside a container
    assert SERVICES["collect"]["profiles"] == ["collect"]
    assert commands.pop("collect") == ["winback", "collect"]
    assert SERVICES["outcomes"]["profiles"] == ["outcomes"]
    assert commands.pop("outcomes") == ["winback", "outcomes"]
    assert SERVICES["record"]["profiles"] == ["record"]
    assert commands.pop("record") == ["winback", "record"]
    assert commands == role_commands()
    assert not any("profiles" in SERVICES[name] for name in commands)


def test_systemd_starts_each_role_with_the_command_of_winback_up() -> None:
    started = {}
    for unit in (ROOT / "deploy" / "systemd").glob("*.service"):
        [command] = re.findall(r"^ExecStart=/opt/winback/bin/(.+)$", unit.read_text(), re.MULTILINE)
        # In systemd, %% is a percent sign and %h the home directory of the account.
        assert "%" not in command.replace("%%", "")
        started[unit.stem.removeprefix("winback-").rstrip("@")] = shlex.split(command.replace("%%", "%"))
    assert started.pop("metrics") == ["winback", "metrics"]
    assert started.pop("collect") == ["winback", "collect"]
    assert started.pop("outcomes") == ["winback", "outcomes"]
    assert started.pop("record") == ["winback", "record"]
    assert started == role_commands()


def test_running_request_gets_its_lease_time_to_end() -> None:
    assert parse_duration(SERVICES["recover"]["stop_grace_period"]) > Settings().delivery.lease


# --- Dockerfile -------------------------------------------------------------------------------------------------------


def test_image_pins_versions_and_runs_as_the_compose_user() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases
    assert all(re.fullmatch(r"python:3\.\d+-slim-\w+", base) for base in bases)
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert users == [SERVICES[OURS[0]]["user"]]
    assert {SERVICES[name]["image"] for name in OURS} == {f"{PROJECT['name']}:{PROJECT['version']}"}


def test_nothing_that_builds_is_left_in_the_image() -> None:
    final = DOCKERFILE[DOCKERFILE.rindex("FROM ") :]
    assert not re.search(r"\b(apt-get|apt|gcc|build-essential|pip)\b", final)
    assert "--constraint constraints.txt" in DOCKERFILE


def test_image_inputs_exist_and_are_in_the_build_context() -> None:
    ignored = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    copied = [
        source
        for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in words.split()[:-1]
    ]
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    assert {package.partition(".")[0] for package in packages} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert ignored[0] == "*"
    assert {f"!{source}" for source in copied} == {line for line in ignored if line.startswith("!")}
    assert not any(fnmatch.fnmatch(".env", line[1:]) for line in ignored if line.startswith("!"))
