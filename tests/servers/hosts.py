"""Winback on further hosts: the same roles again, as separate processes, like those of a machine's supervisor."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import Program
from worker.settings import load
from worker.supervision.roles import roles

STOPS_WITHIN_S = 20.0


@dataclass
class Host:
    """The roles of one host, by name."""

    roles: dict[str, Program]

    def restart(self, role: str) -> None:
        """SIGTERM, wait for the end, start again; it must end in order."""
        program = self.roles[role]
        code = program.stop(STOPS_WITHIN_S)
        assert code == 0, f"{role} ended with {code}: {program.log.read_text()[-2000:]}"
        program.start()


AN_HOUR_AHEAD = {"PYTHONPATH": str(Path(__file__).parent / "wrong_clock")}
"""The environment of a process with a wrong clock. Its durations are correct."""


@contextmanager
def host(
    directory: Path, name: str, env: Mapping[str, str], odd: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[Host]:
    """Run ingest, recover, sweep and beat; `odd`: further variables of some roles."""
    settings = load(env)
    with ExitStack() as stack:
        started = {}
        for role in roles(settings):
            if role.name == "flower":
                continue
            argv = [word.replace("%h", name) for word in role.argv]
            extra = (odd or {}).get(role.name, {})
            program = Program(
                directory / name / role.name, argv, {**env, **role.env, **extra, "PYTHONFAULTHANDLER": "1"}
            )
            started[role.name] = stack.enter_context(program)
        yield Host(started)
