"""Calls of scripts for tests of the runner."""

from state.calls.people import MarkReply, mark
from state.script import Call


def bought(key: str, at_ms: int | str, for_ms: int) -> Call[MarkReply]:
    """Return a call that marks a purchase."""
    return mark(
        key,
        relation="",
        bought_at=at_ms,
        bought_ms=for_ms,
        opted_out_at="",
        answer_ms=for_ms,
        shared_from=10,
        stated="",
        latest="",
        answers=(),
    )
