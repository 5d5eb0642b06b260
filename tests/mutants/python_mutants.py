"""Mutants of Python code: place, original, replacement, the test that notices, its case."""

from datetime import timedelta
from typing import Any

from tasks.delivery.yuno import TryAgain, Undecided
from tasks.policy.decisions import Send, Suppress
from tests.support.faulty_server import http
from tests.tasks.test_yuno import error

Mutant = tuple[str, str, str, str] | tuple[str, str, str, str, dict[str, Any]]

ATTEMPT: list[Mutant] = [
    ("tasks.delivery.sending:_abandon_attempt", "if people and not taken.ambiguous:", "if people:",
     "guards.abandoned_attempt_keeps_a_possibly_contacted_person"),
    ("tasks.delivery.sending:send", "1.5 * timeout", "0.5 * timeout",
     "guards.attempt_starts_while_it_can_end_within_the_lease_only"),
    ("tasks.delivery.attempt:_attempt", "if waited_s:", "if False:",
     "guards.number_corrected_while_ingest_is_waited_for_is_called"),
    ("tasks.delivery.attempt:_active_elsewhere", "session.seen_ms", "session.activity // 100",
     "guards.sign_in_another_session_after_its_last_activity_counts"),
    ("tasks.policy.rules:_active_elsewhere", "now.elsewhere_ms > now.last_ms", "now.elsewhere_ms >= now.last_ms",
     "guards.another_session_counts_from_a_later_moment_on", {"later_ms": 0, "decision": Send()}),
    ("tasks.delivery.attempt:_decided", "unknown_for(taken) + deps.delivery.lease >=", "unknown_for(taken) >=",
     "guards.key_that_can_expire_during_the_attempt_is_not_used", {"left_ms": 35_000, "outcome": "unknown"}),
    ("tasks.delivery.attempt:_decided",
     "and not taken.attempts and", "and", "guards.holdout_excludes_an_attempted_person",
     {"answer": b"HTTP/1.1 500 Whatever\r\ncontent-length: 0\r\n\r\n"}),
    ("tasks.delivery.attempt:_decided", "not taken.attempts and not taken.ambiguous", "not taken.attempts",
     "guards.holdout_excludes_a_possibly_contacted_person"),
    ("tasks.delivery.attempt:_decided", "(deps.client is None or not to_send)", "not to_send",
     "agreement_attempts.a_leftover_shadow_worker_suppresses_nothing"),
    ("tasks.delivery.attempt:_decided", "(deps.client is None or not to_send)", "deps.client is None",
     "agreement_attempts.leftover_live_worker_ends_nothing", {"why": "opted_out"}),
    ("tasks.delivery.attempt:_decided", "not (forgotten or held_out)", "not forgotten",
     "agreement_attempts.leftover_live_worker_ends_nothing", {"why": "holdout"}),
    ("tasks.delivery.attempt:_decided", "not (forgotten or held_out)", "not held_out",
     "agreement_attempts.leftover_live_worker_ends_nothing", {"why": "key_forgotten"}),
]  # fmt: skip

NETWORK: list[Mutant] = [
    ("tasks.delivery.deadline_transport:_Stream.write", 'self.get_extra_info("is_readable")', "False",
     "unread_requests.closed_connection_found_before_writing_is_replaced"),
    ("tasks.delivery.deadline_transport:_Stream._write_piece",
     "if not isinstance(exc.__cause__, BrokenPipeError):", "if False:",
     "unread_requests.reset_that_ends_the_writing_is_no_end_of_the_stream"),
    ("tasks.delivery.unread_requests:is_unread", "or now.acknowledged != earlier.acknowledged", "",
     "unread_requests.request_of_which_the_head_was_read_is_undecided"),
    ("tasks.delivery.unread_requests:is_unread", "if now.is_over:", "if True:",
     "unread_requests.later_tcp_state_counts", {"later": [(False, 5), (False, 9)], "sure": False}),
    ("tasks.delivery.unread_requests:before", "0 < sent <= found.acknowledged", "sent <= found.acknowledged",
     "unread_requests.connection_without_an_earlier_request_proves_nothing"),
    ("tasks.delivery.deadline_transport:_Backend.connect_tcp",
     "attempt.left(timeout) / remaining", "attempt.left(timeout)",
     "deadline_transport.an_address_that_is_silent_leaves_time_for_the_next"),
    ("tasks.delivery.deadline_transport:_Body.close",
     "if self._response.status == httpx.codes.MISDIRECTED_REQUEST:", "if False:",
     "unread_requests.misdirected_request_is_repeated_on_another_connection"),
    ("tasks.delivery.yuno:_classify", 'if code == "IDEMPOTENCY_DUPLICATED":', "if False:",
     "yuno.each_reply_has_its_documented_outcome",
     {"answer": error(503, "IDEMPOTENCY_DUPLICATED"), "expected": Undecided("http_503.IDEMPOTENCY_DUPLICATED")}),
    ("tasks.delivery.yuno:_classify", "status in _IN_USE or", "", "yuno.each_reply_has_its_documented_outcome",
     {"answer": http(423), "expected": TryAgain("http_423", maybe_delivered=True)}),
    ("tasks.delivery.breaker:verdict", "and not why.startswith(_ABOUT_ALL)", "",
     "breaker.the_api_works_when_it_answers_2xx_or_4xx", {"reply": TryAgain("http_421"), "health": "failing"}),
    ("tasks.delivery.backoff:delay", "LONGEST_RETRY_AFTER)", "timedelta.max)",
     "backoff.what_the_server_asks_counts_within_bounds", {"asked": timedelta(days=30), "seconds": 86_400}),
    ("tasks.delivery.addresses:address_block_reason", "and found not in _METADATA", "",
     "deadline_transport.metadata_service_is_refused_among_private_addresses"),
]  # fmt: skip

INGEST: list[Mutant] = [
    ("worker.ingest.people:PeopleWriter._remember", "if now != self._since:", "if False:",
     "known_people.forgotten_person_with_new_activity_is_named_again"),
    ("worker.ingest.people:PeopleWriter._remember", "if now != since:", "if False:",
     "known_people.forget_while_a_batch_is_applied_names_them_again"),
    ("worker.ingest.people:PeopleWriter._remember", "if not result.erased:", "if True:",
     "known_people.late_event_from_before_a_forget_hides_no_later_one"),
    ("worker.ingest.applier:Applier.forget",
     "self._people_writer.forget()", "pass", "known_people.after_an_error_nothing_is_relied_on"),
    ("worker.ingest.takeovers:Takeovers._along", "if session in chain[:-1]:", "if False:",
     "takeover_circles.mutual_takeover_in_one_millisecond_leaves_one", {"names": ("a", "b"), "one_by_one": True}),
    ("worker.ingest.takeovers:Takeovers.hand_over", "max(stamp, last.get((previous, session), 0))", "stamp",
     "takeover_circles.last_takeover_of_a_batch_counts_in_any_order"),
    ("worker.ingest.order_counts:OrderCount.calls", "self._connects != (connects := self._orders.connects)",
     "(connects := self._orders.connects) < 0", "known_people.checkout_that_a_server_lost_is_counted_again"),
    ("worker.ingest.recovery:Recovery.recover", "self._is_needed |= self._redelivery", "self._redelivery",
     "guards_ingest.entries_of_a_dead_consumer_are_applied_once_found"),
    ("worker.ingest.people:PeopleWriter._log_shared",
     "and not self._logged_shared", "", "known_people.shared_address_is_reported_once"),
    ("worker.ingest.redelivery:Redelivery.__init__", "max(settings.max_deliveries, 2)", "settings.max_deliveries",
     "guards_ingest.entry_is_quarantined_only_after_failing_by_itself"),
    ("tasks.erasure.forget:Forget._remove",
     "    self._state.delete(found.person_keys)\n    self._state.signal_erasure()",
     "    self._state.delete(found.person_keys)", "known_people.event_during_a_forget_hides_no_later_one"),
]  # fmt: skip

PEOPLE: list[Mutant] = [
    ("state.people:merged", "if not facts.shared]", "]",
     "guards_people.shared_address_counts_only_its_own_opt_out"),
    ("state.people:merged", "any(facts.opted_out for facts in found)", "any(facts.opted_out for facts in own)",
     "guards_people.shared_address_counts_only_its_own_opt_out"),
    ("state.people:_facts", 'source != "linked" or not found.shared', "True",
     "people_identities.opt_outs_of_others_do_not_count_for_a_shared_address"),
    ("state.people:People.reserve", "replicated &= confirmed", "replicated = confirmed",
     "guards_people.each_identity_must_be_replicated"),
    ("tasks.policy.limits:is_reached", "limit.period_ms + lease_ms", "limit.period_ms",
     "policy_rules.held_person_is_waited_for_until_the_attempt_ends",
     {"held_ms": 24 * 3_600_000 + 70_000 - 1, "decision": Suppress("contacted_recently")}),
    ("tasks.policy.consent:answers", "if channel in given else", "if channel in given and not fields.get(name) else",
     "guards_people.answer_of_the_person_counts_before_that_of_the_session", {"said": False, "may": {"whatsapp"}}),
    ("tasks.delivery.settling:settle", 'reason="attempts_used_up", line=f"{line} {why}", ambiguous=maybe',
     'reason="attempts_used_up", line=f"{line} {why}"', "guards.last_attempt_that_may_have_been_a_contact_is_unknown"),
]  # fmt: skip

AGAIN: list[Mutant] = [
    ("tasks.delivery.attempt:_situation",
     "identities_of(*payload.contact_of(taken.session.fields)) if taken.body else ()", "()",
     "guards.opt_out_of_a_corrected_number_stops_a_repetition"),
]  # fmt: skip

PYTHON = [*AGAIN, *ATTEMPT, *NETWORK, *INGEST, *PEOPLE]
