"""Ingest: reads the activity stream in batches, validates, applies, and only then acknowledges.

Any number of processes share one consumer group, and each of them reads all streams there are. Applying twice changes
nothing, so every doubt is settled by doing it again: after a start, after an error, and for the entries of a consumer
that died.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from math import inf
from time import monotonic, time
from typing import Literal, Self

import structlog

from detectors.lanes import milliseconds
from detectors.sequence import occurred_ms
from state import deployment
from state.attribution import Attribution
from state.errors import ServerFullError, ServerUnavailableError, StateError
from state.event_stream import Entry, GroupMissingError, Reading, Stream
from state.event_streams import Streams
from state.orders import Orders
from state.pending import Pending
from state.people import People
from state.sessions import Mark, Sessions
from worker.ingest.batch import Batch, collect
from worker.ingest.bots import BotWatch
from worker.ingest.crediting import credit_orders
from worker.ingest.order_counts import OrderCount
from worker.ingest.people import InSession, Naming
from worker.ingest.redelivery import Redelivery
from worker.monitoring.alarms import ALARM
from worker.runtime import State, identity_secret
from worker.settings import IngestSettings, Settings

Step = Literal["events_read", "events_applied", "people_marked"]

LONGEST_PAUSE_S = 10.0
BEAT_EVERY_S = 2.0
CLOCKS_DIFFER_MS = 1000
"""By how much the server's clock may be ahead of ours before it is asked."""

log = structlog.get_logger("winback.ingest")


def calm_collector() -> None:
    """Make the garbage collector look less often: a batch is a hundred thousand objects, none of them in a cycle."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _go_on(_step: Step) -> None:
    """Do nothing at a step."""


@dataclass(slots=True)
class Work:
    """Entries that were read and validated, then are being applied, and then told of the people that they are about."""

    readings: Sequence[Reading]
    one_read: bool
    """Whether the entries of each stream are what one read returned, with no other entry between them."""
    batch: Batch
    applied: Pending[list[Mark]] | None = None
    """Waits until they are applied; None before and after that."""
    marks: Sequence[Mark] = ()
    told: Pending[bool] | None = None
    """Waits until their people are named and marked; False if they have to be applied again. None before that."""


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
        streams: Streams,
        sessions: Sessions,
        people: People,
        attribution: Attribution,
        secret: bytes,
        settings: IngestSettings,
        consumer: str,
        beat: Callable[[], None],
        orders: Orders | None = None,
        report: Callable[[str, str], object] = lambda _about, _problem: None,
        reached: Callable[[Step], object] = _go_on,
    ) -> None:
        """`reached` is called after each step, so that a test can end the process there."""
        self._streams = streams
        self._sessions = sessions
        self._naming = Naming(people, secret, report)
        self._attribution = attribution
        self._secret = secret
        self._settings = settings
        self._consumer = consumer
        self._beat = beat
        self._reached = reached
        self._block_ms = milliseconds(settings.read_timeout)
        self._redelivery = Redelivery(streams, consumer, settings)
        self._open: list[Stream] = []
        self._turn = 0
        self._doubtful = True
        self._looked = 0.0
        self._asked, self._server_ahead_ms = -inf, 0.0
        self._ahead = False
        """Whether ids were read that lie in the future."""
        self._beaten = 0.0
        self._reading: Pending[list[Reading]] | None = None
        self._unfinished: deque[Work] = deque()
        self._bots = BotWatch(settings.bot_events_per_minute)
        self._order_count = OrderCount(orders) if orders else None
        self._acknowledged: Pending[list[int]] | None = None
        self.totals = Totals()

    @classmethod
    def of(
        cls,
        state: State,
        settings: Settings,
        *,
        consumer: str,
        beat: Callable[[], None],
        reached: Callable[[Step], object] = _go_on,
    ) -> Self:
        """Return a consumer of all that the settings name."""
        return cls(
            streams=state.streams,
            sessions=state.sessions,
            people=state.people,
            attribution=state.attribution,
            secret=identity_secret(settings),
            settings=settings.ingest,
            consumer=consumer,
            beat=beat,
            orders=state.orders,
            reached=reached,
            report=lambda about, problem: deployment.report(state.scripts, state.keys, about, problem),
        )

    def run(self, stopped: Callable[[], bool], pause: Callable[[float], object]) -> None:
        """Take rounds until `stopped`; `pause` waits some seconds, or less when it is time to stop."""
        failures = 0
        while not stopped():
            try:
                self._round(ahead=True)
                failures = 0
            except GroupMissingError:
                log.error(ALARM, alarm="group", text="the consumer group of the events was gone; it is created again")  # noqa: TRY400 - the whole story
                self._doubtful = True
            except (ServerUnavailableError, ServerFullError) as exc:
                failures += 1
                self._doubtful = True
                wait = min(LONGEST_PAUSE_S, 0.25 * 2 ** min(failures, 6))
                log.error("state_unreachable", error=str(exc), retry_in_s=wait)  # noqa: TRY400 - one line says it
                pause(wait)
        with suppress(StateError):  # what cannot be written any more stays pending
            self._finish_all()

    def step(self) -> int:
        """Read one batch, apply it, acknowledge it; return how many entries it had.

        Raises:
            StateError: some of the batch may not have been applied; the next step begins with it.
        """
        return self._round(ahead=False)

    def process(self, reading: Reading) -> None:
        """Apply entries and acknowledge them; nothing is acknowledged unless all of them were applied.

        Raises:
            StateError: they stay pending; process them again.
        """
        with self._kept_or_doubtful():
            self._begin([reading], one_read=False)
            self._finish()

    def _round(self, *, ahead: bool) -> int:
        """Take one batch. `ahead`: under load, the server reads the next and applies this one while we validate.

        Its work is cut so that neither waits for the other: while this process validates a batch, the server applies
        the one before, marks the people of the one before that, and hands out the one after. Nothing depends on the
        order in which batches are applied.
        """
        self._say_alive()
        self._settle_doubts()
        with self._kept_or_doubtful():
            readings = self._next()
            loaded = ahead and self._there_is_more(readings)
            if loaded:
                self._reading = self._streams.begin_read(self._open, self._consumer, count=self._settings.batch)
            self._begin(readings, one_read=True)
            self._finish(leave=1 if loaded else 0)
        if self._ahead and not loaded:
            self._put_back_ids()
        return sum(len(reading.entries) for reading in readings)

    def _next(self) -> Sequence[Reading]:
        if self._reading is not None:
            reading, self._reading = self._reading, None
            return reading.result()
        self._turn += 1
        return self._streams.read(
            self._open, self._consumer, count=self._settings.batch, block_ms=self._block_ms, turn=self._turn
        )

    def _there_is_more(self, readings: Sequence[Reading]) -> bool:
        """Whether a stream gave as much as it was asked for."""
        return any(len(reading.entries) * len(self._open) >= self._settings.batch for reading in readings)

    def _take(self, readings: Sequence[Reading], *, one_read: bool) -> Work:
        if readings:
            self._reached("events_read")
        work = Work(readings, one_read, collect(_entries(readings), self._latest_ms(readings)))
        if one_read:
            # What is delivered again was counted before.
            work.batch.changes = self._bots.mark(work.batch.changes, work.batch.minutes)
        self._unfinished.append(work)
        return work

    def _latest_ms(self, readings: Sequence[Reading]) -> int | None:
        """Return the server's time (Unix ms) if an entry seems to have arrived after now by our clock, else None."""
        last_ms = max((reading.entries[-1].arrival_ms for reading in readings if reading.entries), default=0)
        # Our own clock may be ahead, and the server's may have been put back since it was asked.
        if last_ms <= min(time() * 1000, self._server_ms()) + CLOCKS_DIFFER_MS:
            return None
        self._ahead = True
        return self._streams.now_ms()

    def _server_ms(self) -> float:
        """Return the server's time (Unix ms) by our steady clock; the server is asked every few seconds."""
        now_s = monotonic()
        if now_s - self._asked >= BEAT_EVERY_S:
            self._asked = now_s
            self._server_ahead_ms = self._streams.now_ms() - now_s * 1000
        return now_s * 1000 + self._server_ahead_ms

    def _begin(self, readings: Sequence[Reading], *, one_read: bool) -> None:
        work = self._take(readings, one_read=one_read)
        work.applied = self._apply(work.batch)

    def _apply(self, batch: Batch) -> Pending[list[Mark]]:
        """Begin to apply a batch, and to count its orders; return what waits for both."""
        self._naming.ask(batch)
        if self._order_count is None:
            return self._sessions.begin(batch.changes)
        calls, counted = self._order_count.calls(batch)
        applied = self._sessions.begin(batch.changes, calls)

        def wait() -> list[Mark]:
            marks = applied.result()
            counted()
            return marks

        return Pending(wait)

    def _finish(self, leave: int = 0) -> None:
        """Finish what was begun, the oldest first. `leave`: how many may stay at each of the two steps."""
        for place, work in enumerate(self._unfinished, 1):
            if len(self._unfinished) - place >= leave and work.told is None:
                self._tell(work)
        while len(self._unfinished) > 2 * leave:
            self._acknowledge(self._unfinished[0])
            self._unfinished.popleft()
        if not leave:
            self._wait_for_acknowledgement()

    def _tell(self, work: Work) -> None:
        """Wait until a batch is applied, and begin to name and mark its people."""
        # What the server had no room for is begun again.
        applied, work.applied = work.applied or self._apply(work.batch), None
        work.marks = applied.result()
        if work.readings:
            self._reached("events_applied")
        work.told = self._naming.begin(work.batch, work.marks, self._hand_over(work.batch, work.marks))

    def _finish_all(self) -> None:
        """Apply and acknowledge all that is on its way."""
        with self._kept_or_doubtful():
            if self._reading is not None:
                self._begin(self._next(), one_read=True)
            self._finish()

    @contextmanager
    def _kept_or_doubtful(self) -> Iterator[None]:
        """Keep what a server has no room for, or does not take at the moment.

        Reading it again would count as a delivery, until it were set aside: of a cluster the node of a partition may be
        away for as long as it takes, and that of the stream answer all the while.
        """
        try:
            yield
        except (ServerFullError, ServerUnavailableError):
            self._let_go()
            raise
        except Exception:
            self._let_go()
            self._unfinished.clear()
            raise

    def _let_go(self) -> None:
        """Wait for whatever is under way, so that no reply is left in a connection; all of it is done again."""
        self._doubtful = True
        waits = [self._acknowledged, *(wait for work in self._unfinished for wait in (work.told, work.applied))]
        self._acknowledged = None
        for work in self._unfinished:
            work.applied = work.told = None
        for wait in waits:
            if wait is not None:
                with suppress(StateError):
                    wait.result()
        if self._reading is not None:
            with suppress(StateError):
                self._take(self._next(), one_read=True)
        self._naming.doubt()
        if self._order_count is not None:
            self._order_count.doubt()

    def _acknowledge(self, work: Work) -> None:
        """Finish a batch that has been applied: mark its people, set aside, and only then acknowledge."""
        batch = work.batch
        # Before the acknowledgement: after a crash here the whole batch is applied, and its people marked, again.
        while (told := work.told) is not None:
            work.told = None
            if not told.result():
                self._tell(work)
        credit_orders(batch.orders, work.marks, batch.changes, self._secret, self._attribution)
        for rejection in batch.rejections:
            problems = [(problem.field, problem.message) for problem in rejection.problems]
            self._streams.reject(rejection.entry_id, problems, applied=rejection.applied)
        self._wait_for_acknowledgement()
        if work.readings:
            self._reached("people_marked")
            self._acknowledged = self._streams.begin_acknowledge(work.readings, one_read=work.one_read)
        self.totals.entries += sum(len(reading.entries) for reading in work.readings)
        self.totals.changes += len(batch.changes)
        self.totals.rejected += len(batch.rejections)

    def _hand_over(self, batch: Batch, marks: Sequence[Mark]) -> Iterator[InSession]:
        """Give sessions what those knew that they take over; also what came late for one that was taken over before."""
        later = ((batch.changes[mark.change].session_id, mark.moved_to, mark.moved) for mark in marks if mark.moved_to)
        # Of the same two sessions the last takeover is enough: a shopper may go to and fro thousands of times.
        last: dict[tuple[str, str], int] = {}
        for previous, session, stamp in (*batch.taken_over, *later):
            last[previous, session] = max(stamp, last.get((previous, session), 0))
        for (previous, session), stamp in last.items():
            yield from self._hand_on(previous, session, stamp)

    def _hand_on(self, previous: str, session: str, stamp: int) -> Iterator[InSession]:
        """Give a session what an earlier one knew, and so on along those that have taken it over in turn."""
        way: list[str] = []
        while session not in {previous, *way}:
            way.append(session)
            given = self._sessions.hand_over(previous, session, stamp)
            yield InSession(session, occurred_ms(stamp), given, notes=True)
            previous, session, stamp = session, given.moved_to or session, given.moved
        if session in way[:-1]:
            self._sessions.stay(way[way.index(session) :])

    def _wait_for_acknowledgement(self) -> None:
        if self._acknowledged is not None:
            acknowledged, self._acknowledged = self._acknowledged, None
            acknowledged.result()

    def _settle_doubts(self) -> None:
        """After a start or an error, and now and then: write what is pending for us, or for a consumer that died."""
        looks = monotonic() - self._looked > self._settings.stale_after.total_seconds() / 2
        if self._doubtful or looks:
            self._open_streams()
        if looks:
            self._looked = monotonic()
            self._doubtful |= self._redelivery.take_over(self._open)
        if self._doubtful:
            # What is on its way is pending too, and no crash left it behind.
            self._finish_all()
            self._redelivery.settle(self._open, self.process)
            self._doubtful = False

    def _open_streams(self) -> None:
        """Look which streams there are: others may have been told of more."""
        streams = self._streams.ensure(self._settings.streams)
        created = [stream.create_group() for stream in (streams if self._doubtful else streams[len(self._open) :])]
        if any(created):
            log.info("group_created", streams=sum(created))
        if len(streams) > max(1, len(self._open)):
            log.info("multiple_streams", streams=len(streams), in_settings=self._settings.streams)
        self._open = streams
        # Also one that nothing is read from any more: its last id may be the highest there is.
        self._put_back_ids()

    def _put_back_ids(self) -> None:
        """Have streams whose ids lie in the future, and that are empty, give out ids of now again."""
        for stream, last in self._streams.put_back(self._open).items():
            log.warning("ids_put_back", stream=stream, last=last, reason="they were ahead of the server's clock")
            self._ahead = False

    def _say_alive(self) -> None:
        if monotonic() - self._beaten >= BEAT_EVERY_S:
            self._beaten = monotonic()
            self._beat()


def _entries(readings: Sequence[Reading]) -> Sequence[Entry]:
    if len(readings) == 1:
        return readings[0].entries
    return [entry for reading in readings for entry in reading.entries]
