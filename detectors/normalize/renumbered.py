"""Numbering plans that changed: how a number of the old plan reads in the new one.

A change is here when it turned valid numbers into others by a rule that needs no list of subscribers. A date is the one
on which the old numbers ended, or of the last stage. Sources: ITU Operational Bulletins and national plans
(https://www.itu.int/oth/T0202), the regulators named in each line, and the history of libphonenumber's metadata.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple


class Change(NamedTuple):
    """One change of a plan."""

    code: str
    """Calling code."""
    old: re.Pattern[str]
    """National numbers of the old plan."""
    new: str
    """What they became, as a template for the pattern."""
    rule: str
    """What was done, for the operator."""
    to_code: str = ""
    """Calling code of the new number, if it is another one."""


def _change(code: str, old: str, new: str, rule: str, to_code: str = "") -> Change:
    return Change(code, re.compile(old), new, rule, to_code)


CHANGES = (
    # Argentina: mobiles are 9 + area + number from abroad and area + 15 + number at home; some write both. ENACOM.
    _change("54", r"9?(\d{2})15(\d{8})", r"9\1\2", "mobile prefix 15 written as 9"),
    _change("54", r"9?(\d{3})15(\d{7})", r"9\1\2", "mobile prefix 15 written as 9"),
    _change("54", r"9?(\d{4})15(\d{6})", r"9\1\2", "mobile prefix 15 written as 9"),
    # Benin, 30 November 2024: 01 before all eight digits. ARCEP Benin.
    _change("229", r"([2-9]\d{7})", r"01\1", "01 added in 2024"),
    # Brazil, 29 July 2012 to 6 November 2016, area by area: 9 before mobiles. Anatel, resolution 553/2010.
    _change("55", r"([1-9][1-9])([6-9]\d{7})", r"\g<1>9\2", "ninth digit of mobiles added by 2016"),
    # Chile, 24 November 2012 (Santiago) to 2014: 2 before the number of fixed lines; 6 February 2016: nine digits for
    # all, mobiles always with 9, no more 0, 09 or 0 and area code. Subtel.
    _change("56", r"0?([5-9]\d{7})", r"9\1", "9 of mobiles added in 2016"),
    _change("56", r"0?2([2-8]\d{6})", r"22\1", "2 before the number added in 2012"),
    _change(
        "56",
        r"0?((?:3[2-5]|4[1-35]|5[1-3578]|6[13-57]|7[1-35]))(\d{6})",
        r"\g<1>2\2",
        "2 before the number added by 2014",
    ),
    _change("56", r"0(\d{9})", r"\1", "0 dropped in 2016"),
    # Colombia, 1 September 2021: fixed lines are 60 + area + seven digits. CRC, resolution 5826 of 2019.
    _change("57", r"([1245678])([2-8]\d{6})", r"60\1\2", "area code added in 2021"),
    # Ivory Coast, 31 January 2021: two digits of the operator before all eight; the second digit of a mobile and the
    # third of a fixed line tell it. ARTCI.
    _change("225", r"([04-9][0-3]\d{6})", r"01\1", "operator's 01 added in 2021"),
    _change("225", r"([04-9][4-6]\d{6})", r"05\1", "operator's 05 added in 2021"),
    _change("225", r"([04-9][7-9]\d{6})", r"07\1", "operator's 07 added in 2021"),
    _change("225", r"(2\d8\d{5})", r"21\1", "operator's 21 added in 2021"),
    _change("225", r"([23]\d0\d{5})", r"25\1", "operator's 25 added in 2021"),
    _change("225", r"(2\d[1-79]\d{5}|3\d[1-9]\d{5})", r"27\1", "operator's 27 added in 2021"),
    # Mexico, 3 August 2019: ten digits for every call, without 01, 044, 045, and 1 from abroad. IFT.
    _change("52", r"(?:01|044|045|1|01?1)(\d{10})", r"\1", "old Mexican mobile prefix dropped"),
)
_BY_CODE: dict[str, list[Change]] = {}
for _one in CHANGES:
    _BY_CODE.setdefault(_one.code, []).append(_one)


@lru_cache(maxsize=4096)
def renumbered(code: str, national: str) -> tuple[tuple[str, str, str], ...]:
    """Return what a national number of an old plan may be today: calling code, national number, rule. Not validated."""
    return tuple(_renumbered(code, national))


def _renumbered(code: str, national: str) -> Iterator[tuple[str, str, str]]:
    for change in _BY_CODE.get(code, ()):
        found = change.old.fullmatch(national)
        if found:
            yield change.to_code or code, found.expand(change.new), change.rule


# Where the new and the old form are both valid, so that a number stays as written and only its identity is one.
_SAME_LINE = (
    # Argentina: with 9 the mobile of a line, without it how fixed lines and many mobiles are written.
    _change("54", r"9(\d{10})", r"\1", ""),
    # Brazil: mobiles that began with 7 got a ninth digit as well, trunking radio (ended in 2018) did not.
    _change("55", r"([1-9][1-9])([6-9]\d{7})", r"\g<1>9\2", ""),
    # Gabon, 29 June 2019: 01 became 011 and so on, and the 0 is dropped from abroad. ARCEP Gabon.
    _change("241", r"0?([2356]\d{6})", r"6\1", ""),
    _change("241", r"0?([47]\d{6})", r"7\1", ""),
    _change("241", r"0?(1\d{6})", r"1\1", ""),
)

_DOUBTFUL = tuple(change for change in _SAME_LINE if change.code == "55")


def also(code: str, national: str) -> Iterator[str]:
    """Yield another number that a valid one may mean today, because its plan changed and kept some of the old ones."""
    for change in _DOUBTFUL:
        if change.code == code and (found := change.old.fullmatch(national)):
            yield found.expand(change.new)


def line_of(code: str, national: str) -> tuple[str, str]:
    """Return the calling code and national number under which a line is known, whichever form of it is given."""
    for change in _SAME_LINE:
        if change.code == code and (found := change.old.fullmatch(national)):
            return change.to_code or code, found.expand(change.new)
    return code, national
