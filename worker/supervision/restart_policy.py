"""When an ended role is restarted, and when it is given up. Pure."""

import signal
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from worker.errors import MISTAKE, TRY_AGAIN

_REMEMBERED: Final = 64  # deaths; far more than any decision needs
_FROM_OUTSIDE: Final = frozenset({-signal.SIGKILL, -signal.SIGTERM, TRY_AGAIN})
"""Ends that aren't the role's fault: it was killed, or it waits for a server."""


@dataclass(frozen=True)
class RestartPolicy:
    """The limits of restarts; times in seconds.

    The pause doubles from `first` to `longest`, and is reset to `first` after a run of `healthy`. While the role waits
    for a server, it only doubles to `longest_wait`. A role that ended by its own fault `limit` times within `window`,
    and that never ran for `brief`, is given up.
    """

    first: float = 1.0
    longest: float = 30.0
    longest_wait: float = 10.0
    healthy: float = 60.0
    brief: float = 10.0
    window: float = 60.0
    limit: int = 5


@dataclass(frozen=True)
class Death:
    """When a role ended (monotonic seconds), how many seconds it had run, and its exit code."""

    at: float
    lived: float
    code: int = 1


def pause_before_restart(deaths: Sequence[Death], policy: RestartPolicy, *, proven: bool = False) -> float | None:
    """Return the seconds to wait before a role with these deaths is restarted; None: give up.

    Args:
        deaths: The latest ones, oldest first; at least one.
        policy: The limits.
        proven: The role ran for `policy.brief` earlier, so its settings work.
    """
    last = deaths[-1]
    if not proven and all(death.lived < policy.brief for death in deaths) and _hopeless(deaths, policy):
        return None
    in_a_row = 0
    for death in reversed(deaths):
        in_a_row += 1
        if death.lived >= policy.healthy:
            break
    longest = policy.longest_wait if last.code == TRY_AGAIN else policy.longest
    return min(longest, policy.first * 2.0 ** (in_a_row - 1))


def _hopeless(deaths: Sequence[Death], policy: RestartPolicy) -> bool:
    last = deaths[-1]
    if last.code == MISTAKE:
        return True
    by_itself = [death for death in deaths if death.code not in _FROM_OUTSIDE and last.at - death.at <= policy.window]
    return len(by_itself) >= policy.limit


class Restarts:
    """The deaths of one role, and the decisions about its restarts."""

    def __init__(self, policy: RestartPolicy) -> None:
        self._policy = policy
        self._deaths: deque[Death] = deque(maxlen=_REMEMBERED)
        self._proven = False

    def died(self, death: Death) -> float | None:
        """Return the seconds to wait before the next start; None: give up."""
        self._deaths.append(death)
        self._proven = self._proven or death.lived >= self._policy.brief
        return pause_before_restart(self._deaths, self._policy, proven=self._proven)


def ending(code: int) -> str:
    """Return how a role ended."""
    if code == TRY_AGAIN:
        return f"exit code {code}: it waits for a server"
    return f"signal {-code}, {signal.strsignal(-code)}" if code < 0 else f"exit code {code}"
