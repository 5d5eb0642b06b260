"""Shared by tests of the operator's commands: the whole command line on its own server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from state.errors import StateError
from tests.support.states import SECRET
from winback.cli.commands import app
from worker import runtime
from worker.errors import StartError, exit_code
from worker.settings import load


class Shop:
    """The commands, and the state they work on."""

    def __init__(self, url: str, **env: str) -> None:
        self.env = {
            "WINBACK_REDIS_URL": url,
            "WINBACK_NAMESPACE": f"t{uuid4().hex[:12]}",
            "WINBACK_IDENTITY_SECRET": SECRET.decode(),
            "NO_COLOR": "1",
            **env,
        }
        self.state = runtime.open_state(load(self.env))

    def run(self, *arguments: str, typed: str | None = None, code: int = 0) -> str:
        """Run a command that must end with this exit code; return its output."""
        result = CliRunner().invoke(app, arguments, env=self.env, input=typed)
        if isinstance(result.exception, StartError | StateError):
            assert exit_code(result.exception) == code, result.exception
            return str(result.exception)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.run(*arguments, "--json", code=code))


@contextmanager
def shop_on(url: str, **env: str) -> Iterator[Shop]:
    shop = Shop(url, **env)
    try:
        yield shop
    finally:
        shop.state.client.flushall()
        shop.state.client.close()
