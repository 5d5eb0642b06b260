"""What the stand-in holds a request against: the published contract of Yuno's Recovery Agent API, and nothing else.

Written on its own, not from the models that build requests: a mistake made once must not vouch for itself. Problems
name the field and the rule; they never repeat a value, since values are personal.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import langcodes
import phonenumbers
import pycountry
from iso4217 import Currency

Rule = Callable[[str, object], Iterator[str]]
"""Takes the path of a field and its value, yields what is wrong with it as `path: problem`."""

_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)
_CURRENCIES = frozenset(currency.code for currency in Currency)
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")
_EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)+")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_FIELD_NAME = re.compile(r"\w{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the contract's table."""

    rule: Rule
    required: bool = False


def check_body(raw: bytes) -> tuple[Any, list[str]]:
    """Read a request's body and list every breach of the contract.

    Returns:
        The document, or None when it is no JSON, and one `path: problem` for each breach; an empty list means valid.
    """
    problems: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) != len(pairs):
            problems.append("body: an object names a field twice")
        return document

    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=_no_constant)
        problems.extend(_object(_BODY)("", document))
    except ValueError:
        return None, ["body: must be a JSON document in UTF-8"]
    except RecursionError:
        return None, ["body: is nested too deeply"]
    return document, problems


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _object(fields: Mapping[str, Field]) -> Rule:
    def check(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path or 'body'}: must be an object"
            return
        for name in value:
            if name not in fields:
                yield f"{_join(path, name)}: is not a field of the contract"
        for name, field in fields.items():
            where = _join(path, name)
            if name not in value:
                if field.required:
                    yield f"{where}: is missing"
            elif value[name] is None:
                yield f"{where}: must not be null"
            else:
                yield from field.rule(where, value[name])

    return check


def _join(path: str, name: str) -> str:
    # A name that is no identifier could be anything, a phone number too.
    shown = name if _FIELD_NAME.fullmatch(name) and not name.isdigit() else "(a field with an odd name)"
    return f"{path}.{shown}" if path else shown


def _text_that(holds: Callable[[str], bool], problem: str) -> Rule:
    def check(path: str, value: object) -> Iterator[str]:
        if not isinstance(value, str):
            yield f"{path}: must be a string"
        elif not holds(value):
            yield f"{path}: {problem}"

    return check


_string = _text_that(lambda _: True, "")
_text = _text_that(lambda value: bool(value.strip()), "must not be blank")


def _one_of(*names: str) -> Rule:
    return _text_that(lambda value: value in names, f"must be one of {', '.join(names)}")


def _number(path: str, value: object) -> Iterator[str]:
    # bool is an int to Python, not to JSON; 1e999 is read as infinity.
    if type(value) is not int and not (type(value) is float and math.isfinite(value)):
        yield f"{path}: must be a number"


def _integer(path: str, value: object) -> Iterator[str]:
    if type(value) is not int:
        yield f"{path}: must be an integer"


def _items(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, list):
        yield f"{path}: must be an array"
        return
    for index, item in enumerate(value):
        yield from _ITEM(f"{path}[{index}]", item)


def _metadata(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path}: must be an object"
        return
    yield from _no_nulls(path, value)


def _no_nulls(path: str, value: object) -> Iterator[str]:
    if value is None:
        yield f"{path}: must not be null"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _no_nulls(_join(path, name), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _no_nulls(f"{path}[{index}]", inner)


def _phone(path: str, value: object) -> Iterator[str]:
    if not isinstance(value, str) or _E164.fullmatch(value) is None:
        yield f"{path}: must be a string in E.164, like +573001234567"
        return
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        yield f"{path}: begins with no country's calling code"
        return
    if not phonenumbers.is_valid_number(number):
        yield f"{path}: is no number that a telephone can have"
    # The parser forgives a national prefix in the middle (+44 0 20...), which dials nobody.
    elif phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != value:
        yield f"{path}: has digits that do not belong into E.164"


def _is_timestamp(value: str) -> bool:
    if _TIMESTAMP.fullmatch(value) is None:
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _is_language(value: str) -> bool:
    return _LANGUAGE.fullmatch(value) is not None and langcodes.tag_is_valid(value)


def _is_email(value: str) -> bool:
    local = value.partition("@")[0]
    return _EMAIL.fullmatch(value) is not None and ".." not in local and local == local.strip(".")


_ITEM = _object({"name": Field(_string), "sku": Field(_string), "quantity": Field(_integer), "price": Field(_number)})

_CUSTOMER = {
    "full_name": Field(_text, required=True),
    "phone_number": Field(_phone, required=True),
    "email": Field(_text_that(_is_email, "must be an e-mail address")),
    "country_code": Field(_text_that(_COUNTRIES.__contains__, "must be ISO 3166-1 alpha-2, like CO"), required=True),
    "language": Field(_text_that(_is_language, "must be a language tag, like es or pt-BR")),
}
_SESSION = {
    "abandonment_timestamp": Field(
        _text_that(_is_timestamp, "must be ISO 8601 in UTC, like 2025-05-13T22:45:00Z"), required=True
    ),
    "flow_stage": Field(_one_of("product_selection", "cart_review", "checkout", "payment"), required=True),
    "platform": Field(_one_of("web", "ios", "android"), required=True),
    "session_id": Field(_text),
}
_CART = {
    "total_value": Field(_number),
    "currency": Field(_text_that(_CURRENCIES.__contains__, "must be ISO 4217, like COP")),
    "items": Field(_items),
}
_ENGAGEMENT = {
    "preferred_channel": Field(_one_of("call", "whatsapp", "auto")),
    "reason": Field(_string),
    "metadata": Field(_metadata),
}
_BODY = {
    "customer": Field(_object(_CUSTOMER), required=True),
    "session": Field(_object(_SESSION), required=True),
    "cart": Field(_object(_CART)),
    "engagement": Field(_object(_ENGAGEMENT)),
}
