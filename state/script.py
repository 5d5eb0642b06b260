"""Declares Lua scripts for Python: the named arguments of each, and the type of its reply.

A declaration is in `state/calls/`: a function with the script's name that returns the script's arguments in order. Its
parameters have the names of the script's. With a key it makes a `Call`, which `state.scripts.Scripts` carries out:

    scripts.run(lua.credit(prefix, outreach=..., order=..., window_ms=...))
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, ParamSpec, TypeVar, cast

from state.driver import Word

Parameters = ParamSpec("Parameters")
Wire = TypeVar("Wire")
Reply = TypeVar("Reply")
Reply_co = TypeVar("Reply_co", covariant=True)
Arguments = Sequence[Word]


class Call(NamedTuple, Generic[Reply_co]):
    """One call of a script."""

    name: str
    key: str
    arguments: Arguments
    parse: Callable[[object], Reply_co]


NamedCall = Call[object]
"""A call whose reply is ignored."""


class Script(Generic[Parameters, Reply]):
    """A script that can be called."""

    __slots__ = ("_parse", "arguments", "name")

    def __init__(self, arguments: Callable[Parameters, Arguments], parse: Callable[[object], Reply]) -> None:
        self.name = arguments.__name__
        self.arguments = arguments
        self._parse = parse

    def __call__(self, key: str, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Call[Reply]:
        """Return a call with this key, which routes it, and these arguments."""
        # Twice as fast as the constructor: there is one call for each person that an event names.
        return tuple.__new__(Call, (self.name, key, self.arguments(*args, **kwargs), self._parse))


def script(
    parse: Callable[[Wire], Reply],
) -> Callable[[Callable[Parameters, Arguments]], Script[Parameters, Reply]]:
    """Declare a script. `parse` takes the driver's reply; its annotation gives the reply's shape.

    An array of elements of several types is annotated as a tuple; the driver makes a list of it.
    """

    def declare(arguments: Callable[Parameters, Arguments]) -> Script[Parameters, Reply]:
        return Script(arguments, cast("Callable[[object], Reply]", parse))

    return declare


def nothing(reply: object) -> None:
    """Ignore the reply."""
    del reply


def number(reply: int | bytes) -> int:
    """Return a number."""
    return int(reply)


def flag(reply: int | None) -> bool:
    """Return True for 1, False for 0 and nil."""
    return bool(reply)


def text(reply: bytes) -> str:
    """Return a text."""
    return reply.decode()


def text_or_none(reply: bytes | None) -> str | None:
    """Return a text, or None for nil."""
    return None if reply is None else reply.decode()


def texts(reply: Sequence[bytes]) -> list[str]:
    """Return a list of texts."""
    return [item.decode() for item in reply]


def pairs(flat: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    """Yield pairs of alternating names and values."""
    words = texts(flat)
    return zip(words[::2], words[1::2], strict=True)


def mapping(flat: Sequence[bytes]) -> Mapping[str, str]:
    """Return a mapping of alternating names and values."""
    return dict(pairs(flat))


class NamedReply:
    """A reply of alternating names and values."""

    def __init__(self, flat: Sequence[object]) -> None:
        names = (str(name, "ascii") if isinstance(name, bytes) else "" for name in flat[::2])
        self._values = dict(zip(names, flat[1::2], strict=True))

    def number(self, name: str) -> int:
        """Return a number. A fractional score is rounded down."""
        value = self._values[name]
        if isinstance(value, bytes | int):
            return int(float(value))
        raise TypeError(f"{name}: {type(value).__name__} is no number")

    def time(self, name: str) -> int | None:
        """Return a time (ms); None for an empty text."""
        return None if self._values[name] == b"" else self.number(name)

    def items(self, name: str) -> list[bytes]:
        """Return a list."""
        value = self._values[name]
        if isinstance(value, list):
            return value
        raise TypeError(f"{name}: {type(value).__name__} is no list")
