"""How a number of an older numbering plan reads today."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from detectors.normalize.renumbered_plans import CHANGES, SAME_LINE, STILL_IN_THE_PLANS, TWO_READINGS, PlanChange

Renumbered = tuple[str, str, str]
"""Calling code, national number, and what was done."""
_Table = dict[str, tuple[PlanChange, ...]]


def _by_code(changes: Iterable[PlanChange]) -> _Table:
    code = attrgetter("code")
    return {found: tuple(group) for found, group in groupby(sorted(changes, key=code), key=code)}


_CHANGES = _by_code(CHANGES)
_STILL_IN_THE_PLANS = _by_code(STILL_IN_THE_PLANS)
_TWO_READINGS = _by_code(TWO_READINGS)
_SAME_LINE = _by_code(SAME_LINE)


def renumbered(code: str, national: str) -> Iterator[Renumbered]:
    """Yield what a national number that is invalid today may have become. Not validated."""
    return _applied(_CHANGES, code, national)


def replaced(code: str, national: str) -> Renumbered | None:
    """Return what replaced a number that `phonenumbers` still takes for valid; None when nothing did."""
    return next(_applied(_STILL_IN_THE_PLANS, code, national), None)


def second_readings(code: str, national: str) -> Iterator[Renumbered]:
    """Yield what else a valid number may be, when its plan kept some old numbers and changed others."""
    return _applied(_TWO_READINGS, code, national)


def line_of(code: str, national: str) -> tuple[str, str]:
    """Return the calling code and national number under which a line is known, whichever form of it is given."""
    found = next(_applied(_SAME_LINE, code, national), None)
    return (code, national) if found is None else found[:2]


def _applied(table: _Table, code: str, national: str) -> Iterator[Renumbered]:
    for change in table.get(code, ()):
        found = change.old.fullmatch(national)
        if found:
            yield change.to_code, found.expand(change.new), change.rule
