"""Runs the Lua scripts of `state/lua/`, called by their digest.

Each script has one typed function, in the module of what it is about; nothing else evaluates scripts.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any

from redis import Redis, RedisCluster
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from state.errors import ServerFullError, ServerUnavailableError, StateError

Argument = str | bytes | int | float
Call = tuple[str, Sequence[Argument]]
_INCLUDE = re.compile(r"^-- include: (\w+)$", re.MULTILINE)


@cache
def source(name: str) -> str:
    """Return the text of a script with its includes filled in."""
    text = (files("state") / "lua" / f"{name}.lua").read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda match: source(match[1]), text)


@contextmanager
def translated() -> Iterator[None]:
    """Raise this package's errors in place of the driver's."""
    try:
        yield
    except (RedisConnectionError, RedisTimeoutError) as exc:
        raise ServerUnavailableError(f"the state server does not answer ({type(exc).__name__})") from exc
    except OutOfMemoryError as exc:
        raise ServerFullError("the state server is full (maxmemory reached) and refuses writes") from exc
    except ResponseError as exc:
        if "OOM" in str(exc):
            raise ServerFullError("the state server is full (maxmemory reached) and refuses writes") from exc
        raise StateError(f"the state server refused a command: {exc}") from exc
    except RedisError as exc:
        raise ServerUnavailableError(f"the state server failed ({type(exc).__name__}: {exc})") from exc


class Scripts:
    """Calls scripts by digest, on a single server or a cluster. Every script takes one key, which routes it."""

    def __init__(self, client: Redis | RedisCluster) -> None:
        self.client: Any = client
        self._digests: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return what is sent to the server for a script."""
        return source(name)

    def run(self, name: str, key: str, *args: Argument) -> Any:  # noqa: ANN401 - each caller knows its reply
        """Call one script and return its reply as the driver reads it (bytes, ints, lists, None)."""
        with translated():
            try:
                return self.client.execute_command("EVALSHA", self._digest(name), 1, key, *args)
            except NoScriptError:
                return self.client.execute_command("EVAL", self.text(name), 1, key, *args)

    def run_many(self, name: str, calls: Iterable[Call]) -> list[Any]:
        """Call one script once per (key, arguments), in one round trip per server; replies in the same order.

        Raises the first error after every call was tried: what the others did stands.
        """
        calls = list(calls)
        if len(calls) == 1:
            return [self.run(name, calls[0][0], *calls[0][1])]
        with translated():
            digest = self._digest(name)
            pipe = self.client.pipeline(transaction=False)
            for key, args in calls:
                pipe.execute_command("EVALSHA", digest, 1, key, *args)
            replies = pipe.execute(raise_on_error=False)
            for index, reply in enumerate(replies):
                if isinstance(reply, NoScriptError):
                    key, args = calls[index]
                    replies[index] = self.client.execute_command("EVAL", self.text(name), 1, key, *args)
            for reply in replies:
                if isinstance(reply, Exception):
                    raise reply
        return list(replies)

    def _digest(self, name: str) -> str:
        digest = self._digests.get(name)
        if digest is None:
            text = self.text(name)
            digest = self._digests[name] = sha1(text.encode(), usedforsecurity=False).hexdigest()
        return digest
