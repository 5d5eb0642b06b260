"""What runs: the roles, and the command of each."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from worker.settings import Settings

# Flower looks for it in the working directory alone, and without it is open to everybody on every interface.
_FLOWER_CONFIG: Final = {"FLOWER_CONF": str(Path(__file__).resolve().parents[2] / "flowerconfig.py")}


@dataclass(frozen=True)
class Role:
    """One process of Winback.

    Attributes:
        name: What its output is prefixed with; no two are the same.
        argv: Its command.
        env: What it gets on top of our environment (secrets come this way, never on the command line).
        grace_s: Seconds it may take to end in order after SIGTERM.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    grace_s: float = 10.0


def roles(settings: Settings, env: Mapping[str, str] | None = None) -> tuple[Role, ...]:
    """All roles of a running Winback, in the order in which they are started.

    The collector is one of them if any of its keys or secrets is set.
    They are the commands that a compose file or systemd starts too, run by this interpreter, and Celery's without its
    plugins.

    Args:
        settings: What decides about the recover role's grace; each role loads its own.
        env: Handed to every role: what was made up for this run.
    """
    # A role that is killed must not take its last lines along. Celery's banners say in thirty lines what ours says in
    # one; its --quiet comes this way, so that the commands stay the same everywhere.
    env = {"PYTHONUNBUFFERED": "1", "CELERY_QUIET": "1", **(env or {})}
    quiet = ("--without-gossip", "--without-mingle")

    def celery(name: str, *args: str, grace_s: float) -> Role:
        return Role(name, (sys.executable, "-m", "worker.celery_support.lean_celery", *args), env, grace_s)

    recover = ("worker", "-Q", "winback.recover", "-n", "recover@%h", *quiet)
    sweep = ("worker", "-Q", "winback.sweep", "-P", "solo", "-n", "sweep@%h", *quiet)
    flower = celery("flower", "flower", grace_s=5)
    # An attempt may use up its whole deadline: cut off earlier, it leaves a customer `unknown`.
    attempt_s = settings.delivery.timeout.total_seconds()
    collector = Role("collect", (sys.executable, "-m", "winback", "collect"), env, grace_s=20)
    return (
        *((collector,) if settings.collect.is_on else ()),
        Role("ingest", (sys.executable, "-m", "winback", "ingest"), env, grace_s=10),
        celery("recover", *recover, grace_s=attempt_s + 5),
        celery("sweep", *sweep, grace_s=10),
        replace(flower, env=env | _FLOWER_CONFIG),
        celery("beat", "beat", grace_s=5),
    )
