"""The systemd units: systemd accepts each of them, restarts it after a crash, and sandboxes it."""

import re
import shlex
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from detectors.durations import parse_duration
from worker.settings import Settings

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
FILES = [*SERVICES, "winback.target"]
# systemd before 254 warns about these and continues.
NEWER = re.compile(r"'(RestartSteps|RestartMaxDelaySec)'.*ignoring")

OPTIONAL = ("collect", "outcomes", "record")

each_service = pytest.mark.parametrize("name", SERVICES)


def read(name: str) -> dict[str, dict[str, list[str]]]:
    """Return the sections of a unit, each key with its values in order: a key can occur several times."""
    sections: dict[str, dict[str, list[str]]] = {}
    keys: dict[str, list[str]] = {}
    for line in (UNITS / name).read_text().splitlines():
        if line.startswith("["):
            keys = sections.setdefault(line.strip("[]"), defaultdict(list))
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, f"{name}: {line!r} is no assignment"
            keys[key].append(value)
    return sections


def hardening(name: str) -> str:
    """Return the sandboxing lines of a unit, up to the next section."""
    return (UNITS / name).read_text().partition("# The process writes nothing to disk")[2].partition("[")[0]


def complaints(directory: Path) -> list[str]:
    """Return systemd's complaints about the units of a directory; without systemd, only basic checks run."""
    units = sorted(directory.iterdir())
    if shutil.which("systemd-analyze") is None:
        commands = [re.findall(r"^ExecStart=(\S+)", unit.read_text(), re.MULTILINE) for unit in units]
        return [f"{program} is not executable" for [program] in filter(None, commands) if shutil.which(program) is None]
    ran = subprocess.run(["systemd-analyze", "verify", *map(str, units)], capture_output=True, text=True, check=False)
    return [line for line in ran.stderr.splitlines() if not NEWER.search(line)]


def install(directory: Path) -> None:
    """Copy the units, with this environment's programs in place of those under /opt/winback."""
    for name in FILES:
        text = (UNITS / name).read_text().replace("/opt/winback/bin", str(Path(sys.executable).parent))
        (directory / name).write_text(text)


def test_every_unit_is_valid_and_its_program_exists(tmp_path: Path) -> None:
    install(tmp_path)
    assert complaints(tmp_path) == []


def test_unit_with_a_missing_program_is_rejected(tmp_path: Path) -> None:
    install(tmp_path)
    unit = tmp_path / "winback-beat.service"
    unit.write_text(unit.read_text().replace("bin/celery", "bin/selery"))
    assert any("selery is not executable" in complaint for complaint in complaints(tmp_path))


def test_the_target_starts_and_stops_every_role() -> None:
    assert read("winback.target")["Install"]["WantedBy"] == ["multi-user.target"]
    for name in SERVICES:
        sections = read(name)
        assert sections["Install"]["WantedBy"] == ["winback.target"]
        assert sections["Unit"]["PartOf"] == ["winback.target"]


@each_service
def test_failed_role_is_restarted_indefinitely(name: str) -> None:
    sections = read(name)
    assert sections["Service"]["Restart"] == ["always"]
    assert sections["Service"]["RestartSec"] == ["2"]
    assert sections["Unit"]["StartLimitIntervalSec"] == ["0"]


@each_service
def test_only_the_role_process_is_stopped_within_its_grace(name: str) -> None:
    service = read(name)["Service"]
    assert service["KillMode"] == ["mixed"]
    least = Settings().delivery.lease if name == "winback-recover.service" else parse_duration("10s")
    assert parse_duration(service["TimeoutStopSec"][0]) >= least


@each_service
def test_a_role_has_its_own_account_and_no_secret_in_its_unit(name: str) -> None:
    service = read(name)["Service"]
    assert (service["User"], service["Group"]) == (["winback"], ["winback"])
    assert service["EnvironmentFile"] == ["/etc/winback/winback.env"]
    assert [words.partition("=")[0] for line in service["Environment"] for words in shlex.split(line)] == [
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONUNBUFFERED",
        *(["WINBACK_COLLECT__SPOOL"] if name == "winback-collect.service" else []),
        *(["WINBACK_RECORD__DIRECTORY"] if name == "winback-record.service" else []),
    ]


@each_service
def test_every_role_is_locked_in_alike(name: str) -> None:
    service = read(name)["Service"]
    assert service["CapabilityBoundingSet"] == [""]
    assert service["NoNewPrivileges"] == ["yes"]
    assert service["ProtectSystem"] == ["strict"]
    assert service["SystemCallFilter"][0] == "@system-service"
    assert hardening(name).count("=") > len(service) // 2
    assert hardening(name) == hardening(SERVICES[0])


def test_the_steps_in_the_readme_install_every_file() -> None:
    steps = (UNITS.parents[1] / "docs" / "guides" / "deploy-systemd.md").read_text()
    enabled = re.search(r"^systemctl enable --now (.+)$", steps, re.MULTILINE)
    assert enabled
    assert {unit.replace("@1", "@").removesuffix(".target") for unit in enabled[1].split()} == {
        Path(name).stem for name in FILES if name not in {f"winback-{role}.service" for role in OPTIONAL}
    }
    assert [role for role in OPTIONAL if f"`systemctl enable --now winback-{role}`" not in steps] == []
    assert "install -m 0600 deploy/systemd/winback.env.example /etc/winback/winback.env" in steps
