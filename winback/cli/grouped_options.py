"""Options of a command as the fields of a dataclass, instead of one parameter for each."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter
from typing import get_type_hints


def grouped_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose parameters that are dataclasses are replaced by one option for each of their fields.

    Write a field as you write a parameter for typer: `Annotated[type, typer.Option(...)]` and a default. `--help` lists
    the options in the order of the parameters and their fields. The dataclasses are keyword-only parameters.
    """
    signature = inspect.signature(command)
    groups = {
        name: given.annotation
        for name, given in signature.parameters.items()
        if isinstance(given.annotation, type) and is_dataclass(given.annotation)
    }

    @wraps(command)
    def with_options(**given: object) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group) if field.name in given})
        command(**given)

    parameters = [one for given in signature.parameters.values() for one in _expanded(given)]
    with_options.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
    return with_options


def _expanded(parameter: Parameter) -> Iterator[Parameter]:
    group = parameter.annotation
    if not is_dataclass(group):
        yield parameter
        return
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name])
