"""A moment of fuzz.py with the tests; for longer: `python -m tests.security.fuzz --seconds 600`."""

import json
from random import Random

import pytest

from detectors.parsing import Parsed, Problem
from tests.security import fuzz
from tests.security.fuzz import EVENTS, TARGETS, BrokenError, mutated

LEAST = 5


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_breaks(target: str) -> None:
    assert fuzz.fuzz(target, seconds=0.5, seed=7, least=LEAST) >= LEAST


def test_inputs_are_many_and_some_of_them_can_still_be_read() -> None:
    random = Random(7)
    made = [mutated(random, EVENTS) for _ in range(500)]
    assert len(set(made)) > 450
    assert 20 < sum(is_json(raw) for raw in made) < 480


@pytest.mark.parametrize(
    "parsed", [Parsed(None), Parsed(None, (Problem("a", "b\nc"),)), Parsed(None, (Problem("a", "x" * 3000),))]
)
def test_a_parser_that_breaks_a_rule_is_found_out(monkeypatch: pytest.MonkeyPatch, parsed: Parsed) -> None:
    monkeypatch.setattr(fuzz, "parse", lambda _raw: parsed)
    with pytest.raises(BrokenError):
        fuzz.fuzz("events", seconds=1.0, seed=7)


def test_a_parser_that_raises_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "parse", lambda _raw: 1 / 0)
    with pytest.raises(BrokenError, match="input 0 raised ZeroDivisionError"):
        fuzz.fuzz("events", seconds=1.0, seed=7)


def is_json(raw: bytes) -> bool:
    try:
        json.loads(raw)
    except ValueError:
        return False
    return True
