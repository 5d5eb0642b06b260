"""Numbering plans that changed in the last ten years, and older changes that shops' data still shows.

A change is listed if a rule turns an old number into the new one. Metropolitan Manila (6 October 2019, an eighth digit
by operator) has no such rule, so its old numbers stay invalid. Where only a dialling prefix changed (Lithuania's 8
became 0), the plans of `phonenumbers` know both.

Each date is the day on which the old numbers ended. Each block names its source. All changes were compared with the
history of libphonenumber's metadata from 2016 to 2026, and the Vietnamese areas with its place names.
"""

import re
from typing import NamedTuple


class PlanChange(NamedTuple):
    """One change of a plan."""

    code: str
    """Calling code."""
    old: re.Pattern[str]
    """National numbers of the old plan."""
    new: str
    """The new numbers, as a template for the pattern."""
    rule: str
    """The applied rule, for the operator."""
    to_code: str
    """Calling code of the new number."""


def _change(code: str, old: str, new: str, rule: str, to_code: str = "") -> PlanChange:
    return PlanChange(code, re.compile(old), new, rule, to_code or code)


# Vietnam, 14 November 2018: mobiles of eleven digits got ten. Ministry of Information and Communications, decision 798.
_VIETNAM_MOBILES = (
    "120:70 121:79 122:77 126:76 128:78 123:83 124:84 125:85 127:81 129:82 162:32 163:33 164:34 165:35 166:36 167:37 "
    "168:38 169:39 186:56 188:58 199:59"
)
# Vietnam, 11 February, 15 April and 17 June 2017: area codes of fixed lines. The same ministry, decision 2036.
_VIETNAM_AREAS = (
    "22:212 231:213 20:214 230:215 29:216 52:232 53:233 54:234 510:235 511:236 37:237 38:238 39:239 "
    "33:203 240:204 25:205 26:206 27:207 280:208 281:209 320:220 321:221 241:222 31:225 351:226 36:227 350:228 30:229 "
    "780:290 781:291 710:292 711:293 74:294 76:296 77:297 79:299 "
    "61:251 62:252 64:254 55:255 56:256 57:257 58:258 68:259 60:260 501:261 500:262 63:263 59:269 70:270 651:271 "
    "72:272 73:273 650:274 75:275 66:276 67:277"
)


def _pairs(table: str) -> list[tuple[str, str]]:
    return [(old, new) for old, _, new in (pair.partition(":") for pair in table.split())]


CHANGES = (
    # Argentina: a mobile is 9 + area + number from abroad and area + 15 + number at home. Some write both. ENACOM.
    _change("54", r"9?(\d{2})15(\d{8})", r"9\1\2", "mobile prefix 15 read as 9"),
    _change("54", r"9?(\d{3})15(\d{7})", r"9\1\2", "mobile prefix 15 read as 9"),
    _change("54", r"9?(\d{4})15(\d{6})", r"9\1\2", "mobile prefix 15 read as 9"),
    # Benin, 30 November 2024: 01 before all eight digits. ARCEP Benin.
    _change("229", r"([2-9]\d{7})", r"01\1", "01 added in 2024"),
    # Brazil, 29 July 2012 to 6 November 2016, area by area: 9 before mobiles. Anatel, resolution 553 of 2010.
    _change("55", r"([1-9][1-9])([6-9]\d{7})", r"\g<1>9\2", "ninth digit of mobiles added by 2016"),
    # Chile, 6 February 2016: nine digits for every number, no more 0, 09 or 0 and area code. Fixed lines had got a 2
    # before the number from 2012 (Santiago) to 2014. Subtel.
    _change("56", r"0?([5-9]\d{7})", r"9\1", "9 of mobiles added in 2016"),
    _change("56", r"0?2([2-8]\d{6})", r"22\1", "2 before the number added in 2012"),
    _change(
        "56", r"0?(3[2-5]|4[1-35]|5[1-3578]|6[13-57]|7[1-35])(\d{6})", r"\g<1>2\2", "2 before the number added by 2014"
    ),
    # Colombia, 1 September 2021: fixed lines are 60 + area + seven digits. CRC, resolution 5826 of 2019.
    _change("57", r"([124-8])([1-9]\d{6})", r"60\1\2", "area code added in 2021"),
    # Ecuador, 30 September 2012: 9 before mobiles. Senatel.
    _change("593", r"([89]\d{7})", r"9\1", "9 of mobiles added in 2012"),
    # Ivory Coast, 31 January 2021: two digits of the operator before all eight. The second digit of a mobile and the
    # third of a fixed line tell the operator. ARTCI.
    _change("225", r"([04-9][0-3]\d{6})", r"01\1", "operator's 01 added in 2021"),
    _change("225", r"([04-9][4-6]\d{6})", r"05\1", "operator's 05 added in 2021"),
    _change("225", r"([04-9][7-9]\d{6})", r"07\1", "operator's 07 added in 2021"),
    _change("225", r"([23]\d8\d{5})", r"21\1", "operator's 21 added in 2021"),
    _change("225", r"([23]\d0\d{5})", r"25\1", "operator's 25 added in 2021"),
    _change("225", r"([23]\d[1-79]\d{5})", r"27\1", "operator's 27 added in 2021"),
    # Kosovo, 15 December 2016: its own calling code instead of those of Monaco, Slovenia and Serbia. ITU.
    _change("377", r"(4[45]\d{6})", r"\1", "calling code of Kosovo since 2016", "383"),
    _change("386", r"(4[39]\d{6})", r"\1", "calling code of Kosovo since 2016", "383"),
    _change("381", r"([23][89]\d{6})", r"\1", "calling code of Kosovo since 2016", "383"),
    # Mauritius, 1 September 2013: 5 before mobiles. ICTA.
    _change("230", r"([79]\d{6})", r"5\1", "5 of mobiles added in 2013"),
    # Mexico, 3 August 2019: ten digits for every call, without 01, 044, 045, and without 1 from abroad. IFT.
    _change("52", r"(?:01|044|045)1?(\d{10})", r"\1", "old Mexican prefix dropped"),
    _change("52", r"1(\d{10})", r"\1", "old Mexican mobile prefix dropped"),
    # Nigeria, 1 January 2024: 02 before fixed lines. NCC.
    _change("234", r"([1-9]\d{7})", r"20\1", "02 of fixed lines added in 2024"),
    # Tajikistan and Uzbekistan: no more 8 for calls to other places. libphonenumber's metadata of 2021 and 2024.
    _change("992", r"8(\d{9})", r"\1", "old trunk prefix 8 dropped"),
    _change("998", r"8(\d{9})", r"\1", "old trunk prefix 8 dropped"),
    *(_change("84", rf"{old}(\d{{7}})", rf"{new}\1", "mobile prefix of 2018") for old, new in _pairs(_VIETNAM_MOBILES)),
    *(_change("84", rf"{old}(\d{{7}})", rf"{new}\1", "area code of 2017") for old, new in _pairs(_VIETNAM_AREAS)),
    _change("84", r"4(\d{8})", r"24\1", "area code of 2017"),
    _change("84", r"8(\d{8})", r"28\1", "area code of 2017"),
    # Zimbabwe, 2018: fixed lines of nine digits. Of the large cities only; smaller places have no single rule. TelOne.
    _change("263", r"4(\d{6})", r"242\1", "area code of 2018"),
    _change("263", r"9(\d{6})", r"292\1", "area code of 2018"),
    _change("263", r"54(\d{6})", r"542\1", "area code of 2018"),
    _change("263", r"39(\d{6})", r"392\1", "area code of 2018"),
)

STILL_IN_THE_PLANS = (
    # Gabon, 15 November 2019 (the old numbers ended on 6 April 2024): 0 and the operator's digit became two digits, and
    # the 0 is dropped from abroad. ARCEP Gabon. `phonenumbers` takes the old form as well.
    _change("241", r"0?([256]\d{6})", r"6\1", "operator's 6 added in 2019"),
    _change("241", r"0?([47]\d{6})", r"7\1", "operator's 7 added in 2019"),
    _change("241", r"0?(1\d{6})", r"1\1", "1 of fixed lines added in 2019"),
)

TWO_READINGS = (
    # Brazil: mobiles that began with 7 got the ninth digit. Trunked radio, which ended in 2018, did not.
    _change("55", r"([1-9][1-9])(7\d{7})", r"\g<1>9\2", "ninth digit of mobiles added by 2016"),
)

SAME_LINE = (
    # Argentina: with 9 a mobile as dialled from abroad, without it as many people write it.
    _change("54", r"9(\d{10})", r"\1", ""),
    *TWO_READINGS,
    *STILL_IN_THE_PLANS,
)
