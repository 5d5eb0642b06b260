"""Ingest: reads the activity stream in batches, validates, applies, and only then acknowledges.

Any number of processes share one consumer group. Applying twice changes nothing, so every doubt is settled by doing it
again: after a start, after an error, and for the entries of a consumer that died.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic

import structlog

from detectors.lanes import milliseconds
from detectors.sequence import occurred_ms
from state.errors import ServerFullError, ServerUnavailableError
from state.people import People, person_of
from state.sessions import Sessions
from state.stream import Entry, GroupMissingError, Stream
from tasks.contact import country, phone
from worker.batch import Batch, collect
from worker.settings import IngestSettings

LONGEST_PAUSE_S = 10.0
BEAT_EVERY_S = 2.0
FEW_DELIVERIES = 2
"""Up to so many deliveries an entry is processed in its batch: a restart is the likely cause, not the entry."""

log = structlog.get_logger("winback.ingest")


@dataclass(slots=True)
class Totals:
    """What one process has done since it started."""

    entries: int = 0
    changes: int = 0
    rejected: int = 0


class Ingest:
    """One consumer. `step` does one round and can be called by itself; `run` goes on until told to stop."""

    def __init__(
        self,
        *,
        stream: Stream,
        sessions: Sessions,
        people: People,
        secret: bytes,
        settings: IngestSettings,
        consumer: str,
        beat: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._sessions = sessions
        self._people = people
        self._secret = secret
        self._settings = settings
        self._consumer = consumer
        self._beat = beat
        self._block_ms = milliseconds(settings.block)
        self._claim_after_ms = milliseconds(settings.claim_after)
        self._doubtful = True
        self._looked_for_dead = 0.0
        self._beaten = 0.0
        self.totals = Totals()

    def run(self, stopped: Callable[[], bool], pause: Callable[[float], object]) -> None:
        """Take rounds until `stopped`; `pause` waits some seconds, or less when it is time to stop.

        While the server applies one batch, the next is read and validated.
        """
        failures = 0
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="apply") as writer:
            under_way: Future[None] | None = None
            while not stopped():
                try:
                    entries = self._next()
                    batch = collect(entries)
                    if under_way is not None:
                        under_way.result()
                    under_way = writer.submit(self._write, entries, batch)
                    failures = 0
                except GroupMissingError:
                    log.error("group_missing", action="created again from the beginning")  # noqa: TRY400 - one line
                    self._doubtful, under_way = True, None
                except (ServerUnavailableError, ServerFullError) as exc:
                    failures += 1
                    self._doubtful, under_way = True, None
                    wait = min(LONGEST_PAUSE_S, 0.25 * 2 ** min(failures, 6))
                    log.error("state_unavailable", error=str(exc), again_in_s=wait)  # noqa: TRY400 - one line says it
                    pause(wait)

    def step(self) -> int:
        """Read one batch, apply it, acknowledge it; return how many entries it had.

        Raises:
            StateError: some of the batch may not have been applied; the next step begins with it.
        """
        entries = self._next()
        self.process(entries)
        return len(entries)

    def process(self, entries: Sequence[Entry]) -> None:
        """Apply entries and acknowledge them; nothing is acknowledged unless all of them were applied.

        Raises:
            StateError: they stay pending; process them again.
        """
        self._write(entries, collect(entries))

    def _next(self) -> Sequence[Entry]:
        self._say_alive()
        if self._doubtful:
            if self._stream.create_group():
                log.info("group_created")
            self._settle_pending()
            self._doubtful = False
        if monotonic() - self._looked_for_dead > self._settings.claim_after.total_seconds() / 2:
            self._looked_for_dead = monotonic()
            self._take_over()
        return self._stream.read(self._consumer, count=self._settings.batch, block_ms=self._block_ms)

    def _write(self, entries: Sequence[Entry], batch: Batch) -> None:
        if not entries:
            return
        for purchase in self._sessions.apply(batch.changes):
            number = phone(purchase.phone, country(purchase.country)) if purchase.phone else None
            if number:
                batch.bought.append((number, occurred_ms(purchase.sequence)))
        # Before the acknowledgement: after a crash here the whole batch is applied, and its people marked, again.
        for number, at_ms in batch.bought:
            self._people.mark_bought(person_of(number, self._secret), at_ms)
        for number in batch.opted_out:
            self._people.opt_out(person_of(number, self._secret))
        for rejection in batch.rejections:
            problems = [(problem.field, problem.message) for problem in rejection.problems]
            self._stream.reject(rejection.entry_id, problems, applied=rejection.applied)
        self._stream.acknowledge([entry.id for entry in entries])
        self.totals.entries += len(entries)
        self.totals.changes += len(batch.changes)
        self.totals.rejected += len(batch.rejections)

    def _settle_pending(self) -> None:
        """Process what this consumer was given before and did not acknowledge."""
        while entries := self._stream.read_pending(self._consumer, count=self._settings.batch):
            log.info("pending_again", entries=len(entries))
            self._process_repeated(entries)

    def _take_over(self) -> None:
        """Process what another consumer was given and has not acknowledged for too long: it is dead or stuck."""
        while entries := self._stream.claim_abandoned(
            self._consumer, idle_ms=self._claim_after_ms, count=self._settings.batch
        ):
            log.warning("taken_over", entries=len(entries))
            self._process_repeated(entries)

    def _process_repeated(self, entries: Sequence[Entry]) -> None:
        """Process entries that have been delivered before, one by one: one of them may be what stops its consumer."""
        deliveries = self._stream.deliveries(entries)
        fresh = [entry for entry in entries if deliveries.get(entry.id, 0) <= FEW_DELIVERIES]
        self.process(fresh)
        for entry in entries:
            times = deliveries.get(entry.id, 0)
            if times > self._settings.max_deliveries:
                log.error("set_aside", entry=entry.id.decode(), deliveries=times)
                problem = ("event", f"was delivered {times} times without being applied: it stops its consumer")
                self._stream.reject(entry.id, [problem], applied=False)
                self._stream.acknowledge([entry.id])
            elif times > FEW_DELIVERIES:
                self.process([entry])

    def _say_alive(self) -> None:
        if monotonic() - self._beaten >= BEAT_EVERY_S:
            self._beaten = monotonic()
            self._beat()
