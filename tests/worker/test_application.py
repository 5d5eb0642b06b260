"""The Celery application, made from given settings. In separate processes, because Celery is patched there."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tasks.celery_tasks import RECOVER_QUEUE, SWEEP_QUEUE
from worker.celery_support.process import is_celery_command, role_of

URL = "redis://127.0.0.1:1/0"


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False, timeout=60
    )


def configured(role: str, **env: str) -> dict[str, Any]:
    code = f"""
import json
from worker.celery_support.application import create_app
from worker.settings import load
conf = create_app(load(), {role!r}).conf
print(json.dumps([conf.worker_pool, conf.worker_concurrency, conf.worker_prefetch_multiplier, conf.broker_url]))
"""
    done = run(code, WINBACK_REDIS_URL=URL, **env)
    assert done.returncode == 0, done.stderr
    return dict(zip(("pool", "concurrency", "multiplier", "broker"), json.loads(done.stdout), strict=True))


def test_application_takes_its_pool_from_the_rate() -> None:
    usual = configured("recover")
    fast = configured("recover", WINBACK_DELIVERY__RATE="500/s")

    assert (usual["pool"], usual["concurrency"]) == ("threads", 32)
    assert (fast["pool"], fast["concurrency"]) == ("prefork", 32)


def test_sweep_fetches_one_message_at_a_time() -> None:
    sweep = configured("sweep", WINBACK_DELIVERY__RATE="100/s")

    assert sweep["concurrency"] * sweep["multiplier"] == 1


def test_import_of_the_package_reads_no_settings() -> None:
    done = run("import worker.celery_support.application", WINBACK_NO_SUCH_SETTING="1")

    assert done.returncode == 0, done.stderr


def test_mistake_in_the_settings_is_one_line() -> None:
    done = run("import worker.app", WINBACK_REDIS_URL=URL, WINBACK_DELIVERY__RATE="fast")

    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert "WINBACK_DELIVERY__RATE" in line


def test_application_keeps_its_settings() -> None:
    code = "from worker.app import app; print(app.settings.namespace, app.role)"

    done = run(code, WINBACK_REDIS_URL=URL, WINBACK_NAMESPACE="other")

    assert done.stdout.split() == ["other", "worker"]


@pytest.mark.parametrize(
    ("arguments", "role"),
    [
        (["celery", "-A", "worker.app", "worker", "-Q", SWEEP_QUEUE, "-n", "w1@host"], "sweep"),
        (["celery", "-A", "worker.app", "worker", "-Q", f"other,{RECOVER_QUEUE}"], "recover"),
        (["celery", "-A", "worker.app", "worker", "-n", "recover@host"], "recover"),
        (["celery", "-A", "worker.app", "beat"], "beat"),
        (["celery", "-A", "worker.app", "flower"], "flower"),
        (["celery", "-A", "worker.app", "inspect", "ping"], "worker"),
    ],
)
def test_role_is_that_of_the_command_line(arguments: list[str], role: str) -> None:
    assert role_of(arguments) == role


@pytest.mark.parametrize(
    ("program", "is_one"),
    [
        ("/opt/winback/bin/celery", True),
        ("/site-packages/celery/__main__.py", True),
        ("/worker/celery_support/lean_celery.py", True),
        ("-c", False),
        ("/usr/bin/pytest", False),
    ],
)
def test_celery_commands_are_known_by_their_program(program: str, is_one: object) -> None:
    assert is_celery_command([program, "worker"]) is is_one
