"""The roles and their commands."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from worker.settings import Settings

# Flower only looks for it in the working directory. Without it, Flower is public on every interface.
_FLOWER_CONFIG: Final = {"FLOWER_CONF": str(Path(__file__).resolve().parents[2] / "flowerconfig.py")}


@dataclass(frozen=True)
class Role:
    """One process of Winback.

    Attributes:
        name: The prefix of its output; unique.
        argv: Its command.
        env: Variables in addition to this process's environment (secrets are passed this way, never on the command
            line).
        grace_s: Seconds for an ordered end after SIGTERM.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    grace_s: float = 10.0


def roles(settings: Settings, env: Mapping[str, str] | None = None) -> tuple[Role, ...]:
    """Return all roles of a running Winback, in the order of their start.

    The collector is one of them if any of its keys or secrets is set, the sender of webhooks if it has a URL, the
    recorder if it has a directory.
    They are the commands of compose files and systemd, run by this interpreter, with Celery's commands without plugins.

    Args:
        settings: Sets the recover role's grace; each role loads its own settings.
        env: Passed to every role: values generated for this run.
    """
    # A killed role must not lose its last lines. Celery's banners take thirty lines for what Winback logs in one; its
    # --quiet is set this way, so that the commands stay the same everywhere.
    env = {"PYTHONUNBUFFERED": "1", "CELERY_QUIET": "1", **(env or {})}
    quiet = ("--without-gossip", "--without-mingle")

    def celery(name: str, *args: str, grace_s: float) -> Role:
        return Role(name, (sys.executable, "-m", "worker.celery_support.lean_celery", *args), env, grace_s)

    recover = ("worker", "-Q", "winback.recover", "-n", "recover@%h", *quiet)
    sweep = ("worker", "-Q", "winback.sweep", "-P", "solo", "-n", "sweep@%h", *quiet)
    flower = celery("flower", "flower", grace_s=5)
    # An attempt can use its whole deadline: cut off earlier, it leaves a customer `unknown`.
    attempt_s = settings.delivery.timeout.total_seconds()
    webhook_s = settings.outcomes.webhook_timeout.total_seconds()
    outcomes = Role("outcomes", (sys.executable, "-m", "winback", "outcomes"), env, grace_s=webhook_s + 5)
    recorder = Role("record", (sys.executable, "-m", "winback", "record"), env, grace_s=10)
    collector = Role("collect", (sys.executable, "-m", "winback", "collect"), env, grace_s=20)
    return (
        *((collector,) if settings.collect.is_on else ()),
        Role("ingest", (sys.executable, "-m", "winback", "ingest"), env, grace_s=10),
        celery("recover", *recover, grace_s=attempt_s + 5),
        celery("sweep", *sweep, grace_s=10),
        *((outcomes,) if settings.outcomes.webhook_url else ()),
        *((recorder,) if settings.record.directory else ()),
        replace(flower, env=env | _FLOWER_CONFIG),
        celery("beat", "beat", grace_s=5),
    )
