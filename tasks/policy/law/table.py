"""The law table: one TOML file per country, and per state of the US. Not legal advice."""

import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from state.channels import Channel
from state.limit import Limit
from tasks.policy import quiet_hours
from tasks.policy.law.limit_text import parse_limit
from tasks.policy.quiet_hours import QuietHours

DISCLAIMER = (
    "Not legal advice. Most sources are secondary; each entry names them and the month in which it was checked."
)
_FOLDER = files("tasks.policy.law") / "data" / "entries"


class LawError(ValueError):
    """An unusable law file. The message is one line with the file and the field."""


class LawEntry(BaseModel):
    """The law of one country, or of one US state. Missing fields set no limit.

    Attributes:
        name: In English.
        windows: When a contact is allowed, by the person's own clock, as written; empty: at any time.
        closed_on_holidays: Whether public holidays are closed all day.
        only_national_holidays: Whether holidays of the person's region stay open.
        limits: How many contacts of a person are allowed in any such period.
        consent: The channels that require the person's consent.
        registers: Lists of people who don't want to be contacted. The shop must check them.
        territories: Other ISO 3166-1 codes to which the entry applies.
        in_force_since: When the rules came into force, if known.
        checked_on: The month in which the entry was last compared with its sources, `2026-11`.
        sources: Where the rules were found.
        note: Further information.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    windows: tuple[str, ...] = ()
    closed_on_holidays: bool = False
    only_national_holidays: bool = False
    limits: tuple[Annotated[Limit, BeforeValidator(parse_limit)], ...] = ()
    consent: tuple[Channel, ...] = ()
    registers: tuple[str, ...] = ()
    territories: tuple[Annotated[str, Field(pattern="^[A-Z]{2}$")], ...] = ()
    in_force_since: date | None = None
    checked_on: Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    note: str = ""

    @property
    def closed(self) -> QuietHours:
        """The hours of a week outside the windows."""
        return quiet_hours.outside(self.windows)


@cache
def table() -> dict[str, LawEntry]:
    """Return every entry by its ISO 3166-1 or 3166-2 code, in alphabetical order.

    Raises:
        LawError: A file can't be read.
    """
    codes = sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml"))
    return {code: read_entry(_FOLDER / f"{code}.toml") for code in codes}


def read_entry(file: Traversable) -> LawEntry:
    """Return the entry of one file.

    Raises:
        LawError: It can't be used.
    """
    name = f"law file {file.name}"
    try:
        entry = LawEntry.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in problem["loc"])
        raise LawError(f"{name}: {field}: {problem['msg']}; install Winback again, or fix the file") from None
    except (OSError, ValueError) as error:
        raise LawError(f"{name}: cannot be read: {error}; install Winback again, or fix the file") from None
    try:
        _ = entry.closed
    except ValueError as error:
        raise LawError(f"{name}: windows: {error}; install Winback again, or fix the file") from None
    return entry


@lru_cache(maxsize=4096)
def entries_of(jurisdictions: tuple[str, ...], off: tuple[str, ...]) -> tuple[tuple[str, LawEntry], ...]:
    """Return the entries that apply in any of these places, with their codes.

    `off`: countries (with all their states) and states whose entry isn't used.
    """
    return tuple(
        (code, entry)
        for code, entry in _applying(jurisdictions)
        if code not in off and code.partition("-")[0] not in off
    )


def covers(country: str) -> bool:
    """Return whether there is an entry for a country (ISO 3166-1 alpha-2)."""
    return country in table() or country in _territories()


def _applying(jurisdictions: tuple[str, ...]) -> Iterator[tuple[str, LawEntry]]:
    codes = dict.fromkeys(_territories().get(code, code) for code in jurisdictions)
    yield from ((code, table()[code]) for code in codes if code in table())


@cache
def _territories() -> dict[str, str]:
    return {territory: code for code, entry in table().items() for territory in entry.territories}
