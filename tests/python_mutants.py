"""Mutants of Python code: place, what it says, what it says instead, the test that notices, its case."""

from typing import Any

from tasks.policy import Send

Mutant = tuple[str, str, str, str] | tuple[str, str, str, str, dict[str, Any]]

ATTEMPT: list[Mutant] = [
    ("tasks.sending:_not_made", "if people and not taken.ambiguous:", "if people:",
     "guards.attempt_not_made_keeps_a_person_who_may_have_been_contacted"),
    ("tasks.sending:send", "1.5 * timeout", "0.5 * timeout",
     "guards.attempt_starts_while_it_can_end_within_the_lease_only"),
    ("tasks.attempt:_attempt", "if waited_s:", "if False:",
     "guards.number_corrected_while_ingest_is_waited_for_is_called"),
    ("tasks.attempt:_active_elsewhere", "session.seen_ms", "session.activity // 100",
     "guards.sign_in_another_session_after_its_last_activity_counts"),
    ("tasks.policy:_active_elsewhere", "now.elsewhere_ms > now.last_ms", "now.elsewhere_ms >= now.last_ms",
     "guards.another_session_counts_from_a_later_moment_on", {"later_ms": 0, "decision": Send()}),
    ("tasks.attempt:_decided", "unknown_for(taken) + deps.delivery.lease >=", "unknown_for(taken) >=",
     "guards.key_that_may_be_forgotten_during_the_attempt_is_not_used", {"left_ms": 35_000, "outcome": "unknown"}),
    ("tasks.attempt:_decided", "and not taken.attempts and", "and", "guards.holdout_takes_nobody_who_was_attempted",
     {"answer": b"HTTP/1.1 500 Whatever\r\ncontent-length: 0\r\n\r\n"}),
    ("tasks.attempt:_decided", "and not taken.ambiguous:", ":",
     "guards.holdout_takes_nobody_who_may_have_been_contacted"),
]  # fmt: skip

PYTHON = [*ATTEMPT]
