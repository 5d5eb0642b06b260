"""Like test_mutants, for guards in Python: a function is compiled with a change, and a test must then fail."""

import ast
import inspect
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import reduce
from importlib import import_module
from textwrap import dedent
from types import FunctionType
from typing import Any

import pytest

from state.connection import connect
from state.errors import StateError
from state.scripts import Scripts
from tests.mutants.python_mutants import PYTHON, Mutant
from tests.mutants.test_mutants import run
from tests.support.decision_support import shop_on
from tests.support.states import make_state
from tests.tasks.test_unread_requests import blinding
from worker.supervision.embedded_valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")
MISSED = (
    AssertionError,
    StateError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    OSError,
    pytest.fail.Exception,
)


@contextmanager
def mutated(place: str, old: str, new: str) -> Iterator[None]:
    """Replace the function at `module:name` or `module:class.name` for a while, in every module that imported it."""
    module, _, path = place.partition(":")
    found: Any = reduce(getattr, path.split("."), import_module(module))
    function = inspect.unwrap(getattr(found, "fget", None) or found)
    assert isinstance(function, FunctionType)
    text = dedent(inspect.getsource(function))
    assert old in text, "there is no such line"
    tree = ast.parse(text.replace(old, new))
    [definition] = tree.body
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    space: dict[str, Any] = {}
    exec(compile(tree, "<mutant>", "exec"), function.__globals__, space)  # noqa: S102 - our own code
    original = function.__code__
    function.__code__ = space[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = original


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[Any]:
    """An empty server."""
    with closing(connect(valkey.url)) as found:
        yield found
        found.flushall()


@pytest.mark.parametrize("mutant", PYTHON, ids=lambda mutant: f"{mutant[0]}: {mutant[1]}")
def test_guard_that_is_taken_out_is_missed(client: Any, valkey: EmbeddedValkey, mutant: Mutant) -> None:  # noqa: ANN401 - a client
    place, old, new, test, *case = mutant
    with given(valkey.url) as more:
        run(make_state(client, Scripts(client)), test, more | (case[0] if case else {}))
    client.flushall()
    with mutated(place, old, new), given(valkey.url) as more, pytest.raises(MISSED):
        run(make_state(client, Scripts(client)), test, more | (case[0] if case else {}))


@contextmanager
def given(url: str) -> Iterator[dict[str, Any]]:
    """Yield the further arguments of tests."""
    with pytest.MonkeyPatch.context() as patch, shop_on(url) as shop:
        yield {"monkeypatch": patch, "blind": blinding(patch), "shop": shop}
