"""The contacts that were made while a recording was taken: `--contacts`."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from detectors.activity_fields import Moment, SessionId
from detectors.normalize.session_ids import session_key
from detectors.sequence import epoch_ms
from thresholds.silences import Claim
from winback.tuning.files import RecordingFile
from worker.errors import StartError

_FORM = '{"session_id": "c-1", "at": "2026-11-22T16:40:00Z", "what": "contact"}, or "holdout"'


def _digits(value: object) -> object:
    return str(value) if type(value) is int else value


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    session_id: Annotated[SessionId, BeforeValidator(_digits)]
    at: Moment
    what: Literal["contact", "holdout"]


class Claims:
    """The first contact of each session, and how many of the recorded sessions have one."""

    def __init__(self, of_session: Mapping[str, Claim]) -> None:
        self._of_session = of_session
        self._counted: set[str] = set()
        self.contacted = 0
        self.held_out = 0

    def of(self, session: str) -> Claim | None:
        """Return the contact of a session that the recording holds, and count it."""
        claim = self._of_session.get(session)
        if claim is not None and session not in self._counted:
            self._counted.add(session)
            self.held_out += claim.held_out
            self.contacted += not claim.held_out
        return claim

    @property
    def held_share(self) -> float:
        """The part of these sessions that was held out."""
        return self.held_out / (self.held_out + self.contacted) if self.held_out else 0.0


def read_claims(name: str, in_recording: Callable[[str], str] | None = None) -> Claims:
    """Read a file of contacts. `in_recording` returns a session's id as `winback record` writes it.

    Raises:
        StartError: The file can't be read, or one of its lines isn't a contact.
    """
    file = RecordingFile(name)
    found: dict[str, Claim] = {}
    try:
        for number, line in _lines(file):
            own, claim = _read(file.name, number, line)
            for session in (own, in_recording(own)) if in_recording else (own,):
                if session not in found or claim.at_ms < found[session].at_ms:
                    found[session] = claim
    finally:
        file.close()
    if file.is_cut_off:
        # A contact that is missing would count as a person who didn't return.
        raise StartError(f"{file.name}: ends in the middle of its compressed data: give the complete file")
    return Claims(found)


def _lines(file: RecordingFile) -> Iterator[tuple[int, bytes]]:
    for some in file:
        yield from ((number, line) for number, line in enumerate(some.lines, some.first_number) if line.strip())


def _read(file: str, number: int, line: bytes) -> tuple[str, Claim]:
    try:
        read = _Line.model_validate_json(line)
    except ValidationError:
        raise StartError(f"{file}: line {number} isn't a contact: write {_FORM}") from None
    at: datetime | None = read.at
    if at is None:
        raise StartError(f"{file}: line {number} has no time: write {_FORM}")
    return session_key(read.session_id), Claim(epoch_ms(at), held_out=read.what == "holdout")
