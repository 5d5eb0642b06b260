"""Candidates from the command line: `--set` and `--grid`."""

import os
import re
from collections.abc import Iterable, Sequence
from itertools import product
from math import prod

from detectors.lanes import milliseconds
from winback.candidates.judging import Candidate
from worker.errors import StartError
from worker.settings import Settings, load
from worker.settings.keys import variable

IN_FORCE = "in force"
MOST = 100
_NEXT_PAIR = re.compile(r",(?=[a-z_]+(?:\.[A-Za-z_]+)+=)")
_VARIABLE = re.compile(r"WINBACK_([A-Z0-9_]+)")
_SIMULATED = ("detection", "contact")


def candidates(settings: Settings, sets: Iterable[str], grids: Sequence[str]) -> list[Candidate]:
    """Return the candidates; the settings in force are the first.

    Raises:
        StartError: A pair isn't KEY=VALUE, its key isn't simulated, or its value is invalid.
    """
    wanted = [tuple(_pairs("--set", text)) for text in sets]
    values = [_values(text) for text in grids]
    number = len(wanted) + (prod(map(len, values)) if values else 0)
    if number >= MOST:
        option = "--grid" if values else "--set"
        raise StartError(f"{option}: makes {number:,} candidates: at most {MOST - 1} are simulated at a time")
    wanted += [pairs for pairs in product(*values) if pairs]
    return [_candidate(IN_FORCE, settings), *(_changed(pairs) for pairs in wanted)]


def _pairs(option: str, text: str) -> list[str]:
    pairs = [pair.strip() for pair in _NEXT_PAIR.split(text)]
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not value.strip():
            raise StartError(f"{option} {text}: write KEY=VALUE, like detection.idle.checkout=20m")
        if key.split(".")[0] not in _SIMULATED or "." not in key:
            raise StartError(f"{option} {key}: only settings of [detection] and [contact] are simulated")
    return pairs


def _values(text: str) -> list[str]:
    key, _, values = text.partition("=")
    found = [f"{key}={value.strip()}" for value in values.split(",")]
    for pair in found:
        _pairs("--grid", pair)
    return found


def _changed(pairs: Sequence[str]) -> Candidate:
    split = [pair.partition("=") for pair in pairs]
    changed = {variable(tuple(key.strip().split("."))): value.strip() for key, _, value in split}
    try:
        return _candidate(",".join(pairs), load({**os.environ, **changed}))
    except StartError as problem:
        text = _VARIABLE.sub(lambda match: match[1].lower().replace("__", "."), str(problem))
        raise StartError(f"--set {','.join(pairs)}: {text.replace('unknown variable', 'unknown setting')}") from None


def _candidate(name: str, settings: Settings) -> Candidate:
    return Candidate(name, settings.detection, settings.contact, milliseconds(settings.delivery.lease))
