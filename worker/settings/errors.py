"""Turns problems of the settings into one line each, with the key as its writer wrote it."""

import difflib
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from detectors.durations import format_duration
from tasks import failpoints
from worker.logs.masking import is_secret, mask_malformed_url, mask_urls, one_line
from worker.settings.keys import PREFIX, KeyPath, free_sections, leaves, variable
from worker.settings.sources import Layers

_LONGEST_VALUE = 80
_URLS = ("_url", "endpoint")

_WHOLE = "is not a whole number"
_SECTION = "must be a section: write its name in [brackets] and its keys below"
_ADVICE = {
    "dict_type": _SECTION,
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "less_than_equal": "must be at most {le}",
    "literal_error": "is not known here: write {expected}",
    "model_type": _SECTION,
    "string_type": "must be text in quotes",
    "tuple_type": 'must be a list, like ["product_selection"]',
}


def explain(error: ValidationError, layers: Layers, model: type[BaseModel], section: KeyPath = ()) -> Iterator[str]:
    """Yield one line for each problem that pydantic found: the key, the value unless it is secret, and the fix.

    Args:
        error: Pydantic's error.
        layers: The sources of the values.
        model: The whole settings, whose keys are suggested for unknown ones.
        section: The path of the checked model in it.
    """
    for problem in error.errors(include_url=False):
        path = (*section, *(str(part) for part in problem["loc"] if isinstance(part, str) and part != "[key]"))
        label = _label(path, layers)
        if problem["type"] == "extra_forbidden" or problem["loc"][-1:] == ("[key]",):
            yield one_line(f"{label}: unknown key{_suggest_key(path, model)}")
        else:
            yield one_line(f"{label}: {_show(path, problem['input'])}{_advice(problem)}")


def unknown_variables(env: Mapping[str, str], model: type[BaseModel]) -> Iterator[str]:
    """Yield one line for each environment variable with Winback's prefix that isn't a setting."""
    known = {variable(path) for path in leaves(model)} | {failpoints.VARIABLE}
    free = dict(free_sections(model))
    known |= {name for section_path, section in free.items() for _, name in section.variables(section_path, env)}
    for name in sorted(env):
        if not name.startswith(PREFIX) or name in known:
            continue
        inside = next((other for other in sorted(known) if other.startswith(f"{name}__")), None)
        if inside:
            yield f"{name}: is a section, not a setting; set one of its keys, like {inside}"
            continue
        section_path = next((section_path for section_path in free if name.startswith(variable(section_path))), None)
        if section_path:
            key = ", ".join(path[-1] for path in leaves(free[section_path].section))
            yield f"{one_line(name)}: unknown variable; write {variable(section_path)}__CO__ and one of {key.upper()}"
            continue
        close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.75)
        yield f"{one_line(name)}: unknown variable{_did_you_mean(close)}"


def missing(path: KeyPath, hint: str) -> str:
    """Return the line for a missing required setting."""
    return f"{'.'.join(path)}: is missing; {hint or f'set {variable(path)}'}"


def _label(path: KeyPath, layers: Layers) -> str:
    origin, key = layers.origin(path), ".".join(path)
    if origin is None:
        return key
    return origin if origin.startswith(PREFIX) and path in layers.variables else f"{key} ({origin})"


def _show(path: KeyPath, value: object) -> str:
    # Lists and sections aren't shown, because they can hold a secret.
    if not isinstance(value, str | int | float | date | time | timedelta) or is_secret(".".join(path)):
        return ""
    if isinstance(value, str):
        value = mask_malformed_url(value) if path[-1].endswith(_URLS) else mask_urls(value)
    text = format_duration(value) if isinstance(value, timedelta) else repr(value)
    return f"{text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '...'} "


def _advice(problem: ErrorDetails) -> str:
    """Return the completion of "<the value> ..."; Winback's own checks provide it themselves."""
    context = problem.get("ctx", {})
    if problem["type"] == "value_error":
        return str(context["error"])
    message = problem["msg"][:1].lower() + problem["msg"][1:]
    return _ADVICE.get(problem["type"], message.replace("{", "").replace("}", "")).format(**context)


def _suggest_key(path: KeyPath, model: type[BaseModel]) -> str:
    known = {".".join(leaf): leaf for leaf in leaves(model)}
    sections = {".".join(leaf[:depth]) for leaf in known.values() for depth in range(1, len(leaf))}
    key = ".".join(path)
    elsewhere = [name for name, leaf in known.items() if leaf[-1] == path[-1]]
    close = difflib.get_close_matches(key, [*known, *sections], n=1, cutoff=0.75)
    return _did_you_mean(close or elsewhere[:1])


def _did_you_mean(names: list[str]) -> str:
    return f"; did you mean {names[0]}?" if names else "; the winback.toml that comes with Winback lists all there are"
