"""Calls of servers for an operator: an answer within a bounded time, and errors that explain the problem."""

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit

from redis.exceptions import AuthenticationError, BusyLoadingError, ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.sentinel import MasterNotFoundError

from state.errors import ServerFullError, ServerUnavailableError, StateError
from worker.diagnosis import chain, diagnose
from worker.errors import StartError
from worker.settings import Settings

Result = TypeVar("Result")

PATIENCE_S = 9.0
"""Longer than any single time-out below it; with the start of the program about 10 s."""

_LONGEST = 200  # characters of a server's message

_SLOW = "it doesn't answer in time"
NO_HOST = "there is no such host"
READ_ONLY = "it is a replica and takes no writes"

_REASONS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((AuthenticationError,), "it refuses the user name or password"),
    ((BusyLoadingError,), "it is still loading its data"),
    ((ReadOnlyError,), READ_ONLY),
    ((RedisTimeoutError, TimeoutError), _SLOW),
    ((MasterNotFoundError,), "no Sentinel can be reached that knows the service"),
    ((ConnectionRefusedError,), "nothing listens there"),
    ((socket.gaierror,), NO_HOST),
)


_HINTS = {
    NO_HOST: "fix the host name in WINBACK_REDIS_URL",
    READ_ONLY: "make it the primary again (REPLICAOF NO ONE), or set WINBACK_REDIS_URL to the primary",
    "MISCONF": "make room on its disk; its log says more",
    "NOREPLICAS": "bring its replicas back",
}
_START_IT = "start it, or fix WINBACK_REDIS_URL"


class UnusableServerError(StartError):
    """The state server can't be used. The text is the problem and the hint in one line."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(f"{problem}: {hint}" if hint else problem)
        self.problem = problem
        self.hint = hint


def run_in_thread(call: Callable[[], Result]) -> "Future[Result]":
    """Start a call that doesn't delay the end of the process; `.result(seconds)` can raise TimeoutError.

    For calls without their own time-out: name look-ups, a broker's client, the nodes of a cluster.
    """
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as problem:  # noqa: BLE001 - the caller of `result` gets it
            future.set_exception(problem)

    Thread(target=run, daemon=True).start()
    return future


def call_with_timeout(settings: Settings, call: Callable[[], Result], seconds: float = PATIENCE_S) -> Result:
    """Return the result of a call of the state server.

    Raises:
        StartError: One line with the server, the problem and the fix.
    """
    try:
        return run_in_thread(call).result(seconds)
    except TimeoutError:
        raise UnusableServerError(*_parts(settings, ServerUnavailableError(), probe=True, why=_SLOW)) from None
    except StateError as problem:
        raise UnusableServerError(*_parts(settings, problem, probe=True)) from None


@contextmanager
def naming_server(settings: Settings) -> Iterator[None]:
    """Add the server's address to temporary errors, for operators with several servers.

    Raises:
        ServerUnavailableError, ServerFullError: As raised, in the words of `describe`.
    """
    try:
        yield
    except (ServerUnavailableError, ServerFullError) as problem:
        raise type(problem)(describe(settings, problem, probe=True)) from problem


def describe(settings: Settings, problem: StateError, *, probe: bool = False, why: str = "") -> str:
    """Return the one line for an error of the state server: its address, the problem and the fix.

    Args:
        settings: With the server's URL.
        problem: What was raised.
        probe: Whether the port is probed if the error doesn't tell, which takes up to 2 s.
        why: Used as the reason if it isn't empty.
    """
    return str(UnusableServerError(*_parts(settings, problem, probe=probe, why=why)))


def _parts(settings: Settings, problem: StateError, *, probe: bool, why: str = "") -> tuple[str, str]:
    """Return the problem with the server's address, and the hint, which can be empty."""
    where = f"redis_url ({address(settings.redis_url or '')})"
    if found := diagnose(problem, settings.redis_url or "", "WINBACK_REDIS_URL", probe=probe and _may_pass(problem)):
        return f"{where}: {found.reason}", found.hint
    if isinstance(problem, ServerUnavailableError):
        why = why or reason(problem)
        return f"{where}: {why}", next((hint for words, hint in _HINTS.items() if why.startswith(words)), _START_IT)
    if isinstance(problem, ServerFullError):
        return f"{where}: {problem}", "give it more memory"
    return str(problem), ""


def _may_pass(problem: StateError) -> bool:
    return isinstance(problem, ServerUnavailableError)


def reason(problem: BaseException) -> str:
    """Return why a connection failed, as a completion of "host:port: ...", without user names or passwords."""
    errors = list(chain(problem))
    for kinds, words in _REASONS:
        if any(isinstance(error, kinds) for error in errors):
            return words
    for error in errors:
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not valid: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return f"it does not speak TLS as expected ({error.reason or 'no reason given'})"
    return (str(errors[-1]) or type(errors[-1]).__name__).splitlines()[0][:_LONGEST]


def address(url: str) -> str:
    """Return only the host and port in a URL, or all of them."""
    return urlsplit(url).netloc.rpartition("@")[2]
