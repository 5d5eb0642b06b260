"""The sender: reads the outcome feed and posts each entry, in order for each outreach, until the receiver has it."""

import secrets
import time
from collections.abc import Callable
from random import Random, SystemRandom
from threading import Event

import structlog

from detectors.lanes import milliseconds
from state.errors import StateError
from state.webhooks import SenderReport, Webhooks
from tasks.failpoints import reached
from tasks.outcomes.settings import OutcomeSettings
from worker.webhooks.courier import Courier, Result
from worker.webhooks.inbox import Inbox
from worker.webhooks.schedule import Schedule

TURN_S = 15.0
"""How long a sender keeps the turn after it stopped renewing it."""
REPORT_S = 1.0
HEARTBEAT_S = 2.0
LONGEST_SLEEP_S, SHORTEST_SLEEP_S = 0.5, 0.01
STATE_AWAY_S = 2.0

log = structlog.stdlib.get_logger("winback.webhooks")


class Sender:
    """One process that sends webhooks. Of several, one has the turn, and the others wait for it."""

    def __init__(
        self,
        webhooks: Webhooks,
        settings: OutcomeSettings,
        courier: Courier,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        random: Random | None = None,
        heartbeat: Callable[[], None] = lambda: None,
    ) -> None:
        self._webhooks = webhooks
        self._max_age_ms = milliseconds(settings.webhook_max_age)
        self._courier = courier
        self._monotonic = monotonic
        self._now = now
        self._random = random or SystemRandom()
        self._heartbeat = heartbeat
        self._beat_at = float("-inf")
        self._schedule = Schedule(self._random)
        self._inbox = Inbox(webhooks, settings.types)
        self._name = secrets.token_hex(8)
        self._turn_at = self._reported_at = float("-inf")
        self._counts = {"sent": 0, "failed": 0}
        self.has_turn = False
        self.is_refused = False
        """Whether the receiver wants no more requests."""
        self.why = ""
        """Why the last request failed; empty if it didn't."""

    def run(self, stopped: Event) -> None:
        """Send until `stopped`. While Redis is down, nothing is sent."""
        problem = ""
        while not stopped.is_set():
            try:
                self.step()
                problem = ""
            except StateError as exc:
                if str(exc) != problem:
                    log.error("state_unreachable", error=str(exc), kept_in="the feed")  # noqa: TRY400 - one line
                problem = str(exc)
                stopped.wait(STATE_AWAY_S)
                continue
            self._rest(stopped)
        self.stop()

    def _rest(self, stopped: Event) -> None:
        """Wait until a request ends or an entry is due, but not for long: new entries can be in the feed."""
        if self._courier.is_idle:
            is_sending = self.has_turn and not self.is_refused
            wait_s = self._schedule.wait_s(self._monotonic(), LONGEST_SLEEP_S) if is_sending else LONGEST_SLEEP_S
            # At least a moment: an entry that is due and can't be posted must not keep the processor busy.
            stopped.wait(max(wait_s, SHORTEST_SLEEP_S))
        else:
            self._apply(self._courier.results(self._schedule.wait_s(self._monotonic(), LONGEST_SLEEP_S)))

    def step(self) -> None:
        """Do one round: take the turn, record results, read, and post due entries. Never waits for the receiver.

        Raises:
            StateError: Redis doesn't answer. Results are kept and recorded later.
        """
        if self._monotonic() - self._beat_at >= HEARTBEAT_S:
            self._heartbeat()
            self._beat_at = self._monotonic()
        self._take_turn()
        if not self.has_turn:
            return
        self._apply(self._courier.results())
        self._inbox.acknowledge()
        # Before the first request, too: the receiver can have refused those of an earlier sender.
        if self._monotonic() - self._reported_at >= REPORT_S:
            self._report()
        if not self.is_refused:
            self._launch()
            if self._schedule.is_hungry(self._monotonic()) and self._inbox.fill(self._schedule, self._monotonic()):
                self._launch()

    def stop(self) -> None:
        """Wait for the requests in flight, and record them."""
        self._apply(self._courier.finish())
        try:
            self._inbox.acknowledge()
            if self.has_turn:
                self._report(stops=True)
        except StateError as exc:
            log.error("state_unreachable", error=str(exc), kept_in="the feed")  # noqa: TRY400 - as above

    def _take_turn(self) -> None:
        now = self._monotonic()
        if self.has_turn and now - self._turn_at < TURN_S / 5:
            return
        had_turn = self.has_turn and now - self._turn_at < TURN_S
        self.has_turn = self._webhooks.take_turn(self._name, round(TURN_S * 1000))
        self._turn_at = now
        if self.has_turn and not had_turn:
            # Another sender could have delivered some in the meantime: only entries that aren't acknowledged are left.
            self._apply(self._courier.finish())
            self._schedule = Schedule(self._random)
            self._inbox.start_over()

    def _launch(self) -> None:
        now, oldest_ms = self._monotonic(), self._now() * 1000 - self._max_age_ms
        while (delivery := self._schedule.next(now)) is not None:
            if delivery.decided_ms < oldest_ms:
                self._schedule.done(delivery, now, accepted=False)
                self._inbox.drop(delivery.entry, delivery.id, "not accepted within outcomes.webhook_max_age")
                continue
            self._courier.submit(delivery)

    def _apply(self, results: list[Result]) -> None:
        for delivery, answer in results:
            now = self._monotonic()
            if answer.accepted:
                reached("webhook_accepted")
                self._schedule.done(delivery, now)
                self._inbox.done(delivery.entry)
                self._counts["sent"] += 1
                if self.why:
                    log.info("webhooks_accepted_again")
                self.why = ""
                continue
            self._schedule.failed(delivery, now, answer.retry_after)
            self._counts["failed"] += 1
            if not self.why:
                log.warning("webhooks_failing", reason=answer.why)
            self.why = answer.why
            if answer.gone and not self.is_refused:
                self.is_refused, self._reported_at = True, float("-inf")
                log.error("webhooks_refused", reason=answer.why, resumes_when="winback outcomes resume")

    def _report(self, *, stops: bool = False) -> None:
        was_refused = self.is_refused
        report = SenderReport(
            **self._counts,
            dropped=self._inbox.dropped,
            waiting=len(self._schedule),
            oldest_ms=self._schedule.oldest_ms(),
            why=self.why,
            gone=was_refused and self._reported_at == float("-inf"),
            stops=stops,
        )
        self.is_refused = self._webhooks.report(report)
        self._counts = {"sent": 0, "failed": 0}
        self._inbox.dropped = 0
        self._reported_at = self._monotonic()
