"""A pending result: taken once, or drained so that no reply is left in its connection."""

import pytest

from state.errors import ServerUnavailableError, StateError
from state.pending import Pending


def failing(error: Exception) -> Pending[int]:
    def wait() -> int:
        raise error

    return Pending(wait)


def test_result_is_waited_for_once() -> None:
    waits: list[int] = []
    pending = Pending(lambda: waits.append(1))
    pending.result()
    with pytest.raises(RuntimeError, match="taken before"):
        pending.result()
    assert waits == [1]


@pytest.mark.parametrize("taken", [False, True])
def test_drain_waits_unless_the_result_was_taken(*, taken: bool) -> None:
    waits: list[int] = []
    pending = Pending(lambda: waits.append(1))
    if taken:
        pending.result()
    pending.drain()
    pending.drain()
    assert waits == [1]


def test_drain_discards_errors_of_the_server_only() -> None:
    failing(ServerUnavailableError("away")).drain()
    failing(StateError("refused")).drain()
    with pytest.raises(ValueError, match="a bug"):
        failing(ValueError("a bug")).drain()


def test_failed_result_is_not_waited_for_again() -> None:
    pending = failing(StateError("refused"))
    with pytest.raises(StateError):
        pending.result()
    pending.drain()


def test_converted_result_takes_the_place_of_the_first() -> None:
    waits: list[int] = []
    first = Pending(lambda: waits.append(1))
    text = first.then(lambda _: 20).then(str)
    assert waits == []
    text.drain()
    first.drain()
    assert waits == [1]
    assert Pending(lambda: 20).then(str).result() == "20"
