"""The options that name a person: `--phone`, `--email` and `--session`, in any spelling."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from detectors.normalize.session_ids import public_session_id, stored_as
from state import deployment
from state.inventory import Inventory
from state.stored_data import StoredPerson
from tasks.erasure.data_subject import DataSubject
from worker import runtime
from worker.errors import StartError
from worker.runtime import State
from worker.settings import Settings

Phone = Annotated[str | None, typer.Option("--phone", help="The person's phone number, in any spelling.")]
Email = Annotated[str | None, typer.Option("--email", help="The person's e-mail address.")]
OfSession = Annotated[str | None, typer.Option("--session", help="A session, and the person it belongs to.")]
InCountry = Annotated[
    str | None, typer.Option("--country", help="Country of numbers without a +: CO, COL or Colombia.")
]
Exact = Annotated[
    bool, typer.Option("--exact", help="Leave out identities that were only seen together with the named ones.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@dataclass(frozen=True, kw_only=True, repr=False)  # a number must not get into a traceback
class PersonOptions:
    """The options that name one person."""

    phone: Phone = None
    email: Email = None
    country: InCountry = None
    session: OfSession = None

    def data_subject(self, state: State, settings: Settings, *, lenient: bool) -> DataSubject:
        """Return the person; see `data_subject`."""
        return data_subject(
            state,
            settings,
            phone=self.phone,
            country=self.country,
            email=self.email,
            session=self.session,
            lenient=lenient,
        )


def data_subject(
    state: State,
    settings: Settings,
    *,
    phone: str | None,
    country: str | None,
    email: str | None,
    session: str | None,
    lenient: bool,
) -> DataSubject:
    """Return the person that the options name.

    Raises:
        StartError: they name no person, or both a session and an identity, or a value is invalid.
    """
    if not (phone or email or session) or (session and (phone or email)):
        raise StartError("name the person: --phone NUMBER, --email ADDRESS or both, or --session SESSION")
    # Without the keys, sessions couldn't be found by number or address.
    deployment.require_keys(state.scripts, state.keys, state.cipher.ids)
    secret = runtime.identity_secret(settings)
    if session is None:
        return DataSubject(identities(phone or "", country, email or ""), (), secret, lenient=lenient)
    stored = Inventory(state.scripts, state.keys, state.cipher).session_owner(stored_as(session))
    subject = DataSubject(_stored_identities(stored), (), secret, lenient=lenient)
    subject.add_session(stored)
    if stored.session_id != session:
        subject.original_ids.add(public_session_id(session))
    return subject


def identities(phone: str, country: str | None, email: str) -> tuple[str, ...]:
    """Return every identity of the person that a number, an address or both belong to.

    The number is read like the number of a request. Other spellings of the same number count as well.

    Raises:
        StartError: one of them is invalid, or the country is unknown.
    """
    from detectors.normalize.identities import identities_of, named_by  # numbering plans load slowly

    code = country_code(country)
    found = identities_of(phone, code, email)
    if phone and not any(one.startswith("+") for one in found):
        hint = "" if code else ", or name its --country"
        raise StartError(f"{phone[:32]!r} is not a valid phone number: write it with + and the country code{hint}")
    if email and not any("@" in one for one in found):
        raise StartError(f"{email[:64]!r} is not a valid e-mail address: write name@example.com")
    spelled = (one for each in found for one in named_by(*(("", "", each) if "@" in each else (each, "", ""))))
    return tuple(dict.fromkeys((*found, *spelled)))


def country_code(country: str | None) -> str:
    """Return a country's ISO 3166-1 alpha-2 code; empty for none.

    Raises:
        StartError: it is unknown.
    """
    from detectors.normalize import countries

    code = countries.country(country) if country else None
    if country and code is None:
        raise StartError(f"--country: {country[:64]!r} is not a country: write CO, COL or Colombia")
    return code or ""


def _stored_identities(stored: StoredPerson) -> Sequence[str]:
    from detectors.normalize.identities import identities_of

    return identities_of(stored.phone, stored.country, stored.email)
