"""How long each role takes from its start until it works, and its memory when it is idle."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from bench.figures import Figure
from bench.processes import memory_bytes
from bench.waiting import wait_for
from bench.winback.running import SECRET, Roles, Running, running
from worker.monitoring.liveness import flower_answers
from worker.supervision.embedded_valkey import EmbeddedValkey
from worker.supervision.valkey_process import free_port

PART = "own: the roles"
NAMES = ("ingest", "recover", "sweep", "beat", "flower")
SETTLE_S = 1.0


def measure(*, quick: bool = False, rounds: int = 3) -> list[Figure]:
    seconds: dict[str, list[float]] = {name: [] for name in NAMES}
    memory: dict[str, list[float]] = {name: [] for name in NAMES}
    with TemporaryDirectory() as directory, EmbeddedValkey(Path(directory) / "valkey", port=0) as server:
        env = {
            **SECRET,
            "WINBACK_REDIS_URL": server.url,
            "WINBACK_WORKER__POOL": "prefork",
            "WINBACK_FLOWER__PORT": str(free_port()),
            "WINBACK_FLOWER__BASIC_AUTH": "bench:bench",
        }
        for _ in range(1 if quick else rounds):
            with running(env, Path(directory)) as roles:
                for name in NAMES:
                    began = monotonic()
                    role = roles.start(name)
                    wait_for(lambda role=role: _is_ready(roles, role))  # type: ignore[misc]
                    seconds[name].append(monotonic() - began)
                    sleep(SETTLE_S)
                    memory[name].append(memory_bytes(role.pid) / 2**20)
    processes = {"recover": ", one and 32 of its pool"}
    return [
        *(Figure(PART, f"start of {name} until it is at work", tuple(seconds[name]), "s") for name in NAMES),
        *(
            Figure(PART, f"memory of {name}, idle (PSS{processes.get(name, '')})", tuple(memory[name]), "MiB")
            for name in NAMES
        ),
    ]


def _is_ready(roles: Roles, role: Running) -> bool:
    return flower_answers(roles.settings).mark == "ok" if role.name == "flower" else roles.is_ready(role)


if __name__ == "__main__":
    from bench.winback.show import show

    show(measure)
