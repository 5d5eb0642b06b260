"""Messages about invalid values. Pydantic's own refer to its library."""

from pydantic_core import ErrorDetails

_TEXT = "must be text"
_NUMBER = "must be a number"
_WHOLE = "must be a whole number"
_YES_NO = "must be true or false"
_OBJECT = "must be a JSON object"
_MOMENT = "must be a moment in ISO 8601, like 2026-11-22T16:40:00Z"
_WORDS = {
    "bool_parsing": _YES_NO,
    "bool_type": _YES_NO,
    "date_from_datetime_parsing": _MOMENT,
    "datetime_from_date_parsing": _MOMENT,
    "datetime_object_invalid": _MOMENT,
    "datetime_parsing": _MOMENT,
    "datetime_type": _MOMENT,
    "dict_type": _OBJECT,
    "finite_number": _NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "greater_than_equal": "must be at least {ge:,.15g}",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "less_than_equal": "must be at most {le:,.15g}",
    "list_type": "must be a JSON list",
    "literal_error": "must be {expected}",
    "missing": "is missing",
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "string_pattern_mismatch": "must be {pattern}",
    "string_too_long": "is longer than {max_length} characters",
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "too_long": "has more than {max_length} entries",
}


def plain(detail: ErrorDetails, *, pattern: str | None = None) -> str:
    """Return the text that completes "<field>: ...". Never holds the value, which can be personal.

    Args:
        detail: One error from pydantic.
        pattern: Completes "must be ..." for a text that doesn't match its pattern; None: the pattern is shown.
    """
    words = _WORDS.get(detail["type"])
    if words is None:
        return detail["msg"].removeprefix("Value error, ")
    context = detail.get("ctx", {})
    return words.format_map({**context, "pattern": pattern or f"text that matches {context.get('pattern')}"})
