"""Today's form of numbers from older numbering plans."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter

from detectors.normalize.renumbered_plans import CHANGES, SAME_LINE, STILL_IN_THE_PLANS, TWO_READINGS, PlanChange

Renumbered = tuple[str, str, str]
"""Calling code, national number, and the applied rule."""
_Table = dict[str, tuple[PlanChange, ...]]


def _by_code(changes: Iterable[PlanChange]) -> _Table:
    code = attrgetter("code")
    return {found: tuple(group) for found, group in groupby(sorted(changes, key=code), key=code)}


_CHANGES = _by_code(CHANGES)
_STILL_IN_THE_PLANS = _by_code(STILL_IN_THE_PLANS)
_TWO_READINGS = _by_code(TWO_READINGS)
_SAME_LINE = _by_code(SAME_LINE)


def renumbered(code: str, national: str) -> Iterator[Renumbered]:
    """Yield candidates for a national number that is invalid today. Not validated."""
    return _applied(_CHANGES, code, national)


def replaced(code: str, national: str) -> Renumbered | None:
    """Return the replacement of a number that `phonenumbers` still accepts; None if it wasn't replaced."""
    return next(_applied(_STILL_IN_THE_PLANS, code, national), None)


def second_readings(code: str, national: str) -> Iterator[Renumbered]:
    """Yield the other readings of a valid number whose plan kept some old numbers and changed others."""
    return _applied(_TWO_READINGS, code, national)


def line_of(code: str, national: str) -> tuple[str, str]:
    """Return the calling code and national number by which a line is identified, for any of its forms."""
    found = next(_applied(_SAME_LINE, code, national), None)
    return (code, national) if found is None else found[:2]


def _applied(table: _Table, code: str, national: str) -> Iterator[Renumbered]:
    for change in table.get(code, ()):
        found = change.old.fullmatch(national)
        if found:
            yield change.to_code, found.expand(change.new), change.rule
