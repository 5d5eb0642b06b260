"""Whether the processes that were just started work: each must record a heartbeat."""

import socket
import time
from collections.abc import Callable, Collection, Mapping
from threading import Thread

from state import deployment
from state.connection import connect
from state.errors import StateError
from state.keys import Keys
from state.scripts import Scripts
from worker.monitoring.liveness import flower_answers
from worker.settings import Settings
from worker.supervision.child_process import Output

_EVERY_S = 0.5


def announce_readiness(
    settings: Settings, names: Collection[str], pids: Callable[[], Mapping[str, int]], output: Output
) -> Thread:
    """Write one line once every role works, and then end. If one never does, the thread ends with the process.

    Args:
        settings: The addresses of the state server and Flower.
        names: The roles.
        pids: The process ids of running processes, by name.
        output: The output of the line.
    """

    def watch() -> None:
        while not are_up(settings, names, pids()):
            time.sleep(_EVERY_S)
        output("winback", f"everything is up: {', '.join(names)}")

    thread = Thread(target=watch, name="watch for what is up", daemon=True)
    thread.start()
    return thread


def are_up(settings: Settings, names: Collection[str], pids: Mapping[str, int]) -> bool:
    """Return whether each of these processes, not a predecessor, has recorded a heartbeat; Flower is asked directly."""
    if not pids.keys() >= set(names):
        return False
    here = socket.gethostname()
    try:
        with connect(settings.redis_url or "", max_connections=2) as client:
            scripts, keys = Scripts(client), Keys(settings.namespace)
            return all(
                flower_answers(settings).mark == "ok"
                if name == "flower"
                else any(b.process == f"{here}:{pids[name]}" for b in deployment.heartbeats(scripts, keys, name))
                for name in names
            )
    except StateError:
        return False
