"""Each guard in the scripts is taken out in turn, and the test that stands for it must then fail."""

import inspect
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from typing import Any

import pytest

from state.connection import connect
from state.errors import StateError
from state.scripts import Scripts
from tests.clock_mutants import CLOCK
from tests.control_mutants import CONTROL, Mutant
from tests.helpers import DAY_MS, HOUR_MS, make_state, now_ms
from tests.operator_mutants import FORGET, OPERATOR, OPT_OUTS
from tests.test_stream import fill
from worker.runtime import State
from worker.valkey import EmbeddedValkey

pytestmark = pytest.mark.xdist_group("valkey")

# Script, what it says, what it says instead, the test that notices (without `test_`), and the case of that test.
APPLY: list[Mutant] = [
    ("apply", "if a < was_a then a = was_a end", "",
     "sessions.an_older_activity_that_arrives_late_moves_nothing"),
    ("apply", "if s > was_s then put", "if true then put", "sessions.of_two_signals_the_later_one_counts"),
    ("apply", "if p > was_p then put", "if true then put", "sessions.of_two_orders_the_later_one_counts"),
    ("apply", "last == was_last and silent or 0", "silent",
     "sessions.an_older_voucher_that_arrives_late_leaves_the_silence"),
    ("apply", "max(seen, tonumber(has[6] or 0))", "seen",
     "sessions.what_was_seen_after_a_voucher_counts_when_that_is_superseded"),
    ("apply", "silent > seen and text(silent)", "text(silent)",
     "going_on.silence_is_stored_only_when_it_is_not_since_the_last_event"),
    ("apply", "tonumber(event[7] or '') or silent", "silent",
     "sessions.a_voucher_s_expiry_is_nothing_that_was_seen"),
    ("apply", "is_back = moved or seen > was_silent", "is_back = moved",
     "coming_back.an_old_event_that_has_just_arrived_cancels_what_is_open", {"is_taken": True}),
    ("apply", "seen > was_silent", "seen >= was_silent", "coming_back.an_event_that_is_applied_again_cancels_nothing"),
    ("apply", "seen > was_silent", "seen > floor(was_last / 100)",
     "coming_back.an_event_that_is_applied_again_cancels_nothing"),
    ("apply", "seen > was_silent", "seen > 0",
     "coming_back.an_old_event_that_arrived_before_the_silence_cancels_nothing"),
    ("apply", "or value > known", "or true", "session_fields.null_clears_a_field_unless_it_is_older"),
    ("apply", "last > was_last", "last >= was_last", "coming_back.an_event_that_is_applied_again_cancels_nothing"),
    ("apply", "if p > a then", "if p > 0 then", "sessions.newer_activity_after_an_order_makes_the_session_wait_again"),
    ("apply", "elseif is_back or was_state == 'bought' then", "elseif is_back then",
     "sessions.an_order_that_turns_out_to_be_older_than_an_activity_is_undone"),
    ("apply", "elseif is_back or was_state == 'bought' then", "elseif was_state == 'bought' then",
     "sessions.a_session_that_was_settled_is_silent_anew_after_newer_activity_only"),
    ("apply", "(paid or is_back)", "is_back", "coming_back.an_order_from_before_the_last_activity_cancels_all_the_same",
     {"is_taken": False}),
    ("apply", "call('ZREM', was_lane, id)", "",
     "going_on.who_goes_on_after_closing_the_page_waits_for_mere_silence_again"),
    ("apply", "if was_last == 0 or is_back", "if is_back",
     "session_fields.every_event_leaves_its_session_with_a_time_to_live", {"kind": "opt_out"}),
    ("apply", "tells or about_person[name]", "tells", "session_fields.an_opt_out_by_session_alone_tells_the_person"),
    ("apply", "country = true, ", "",
     "session_fields.what_tells_the_person_apart_may_arrive_after_the_event_that_marks_them",
     {"kind": "order_completed", "late": "country_code"}),
    ("apply", "email = true, ", "",
     "session_fields.what_tells_the_person_apart_may_arrive_after_the_event_that_marks_them",
     {"kind": "opt_out", "late": "email"}),
    ("apply", "or tell or", "or", "session_fields.tell_returns_what_all_events_said_of_the_person"),
    ("apply", "or name == 'opted_out'", "", "session_fields.an_opt_out_by_session_alone_tells_the_person"),
    ("apply", "opted_out = has[2]", "opted_out = false",
     "session_fields.what_tells_the_person_apart_may_arrive_after_the_event_that_marks_them",
     {"kind": "opt_out", "late": "phone_number"}),
    ("apply", "== '1', order ~= '0'", "== '1', false",
     "session_fields.an_order_tells_the_person_each_time_it_is_applied"),
    ("apply", "if p > a then", "if last == p then",
     "sessions.a_page_closed_or_a_voucher_shown_after_the_order_does_not_undo_it",
     {"kind": "exit"}),
    ("apply", "(paid or is_back) then", "moved then",
     "sessions.an_order_older_than_the_last_activity_still_calls_off_what_is_open"),
    ("apply", "if was_state == 'abandoned' and (paid or is_back) then call_off", "if false then call_off",
     "coming_back.what_happens_after_the_claim_cancels_what_waits_or_is_leased",
     {"kind": "activity", "reason": "came_back", "is_taken": True}),
    ("apply", "if state == 'waiting' or state == 'leased' then finish", "if state then finish",
     "coming_back.what_is_sending_is_never_cancelled", {"kind": "order_completed"}),
    ("apply", "if state == 'waiting' or state == 'leased' then finish", "if state == 'waiting' then finish",
     "coming_back.what_happens_after_the_claim_cancels_what_waits_or_is_leased",
     {"kind": "order_completed", "reason": "paid", "is_taken": True}),
    ("apply", "if state == 'waiting' or state == 'leased' then finish", "if state == 'leased' then finish",
     "coming_back.what_happens_after_the_claim_cancels_what_waits_or_is_leased",
     {"kind": "order_completed", "reason": "paid", "is_taken": False}),
    ("apply", "call('HDEL', key, 'outreach')", "", "coming_back.an_ended_outreach_is_not_cancelled_later"),
]  # fmt: skip

GOING_ON: list[Mutant] = [
    ("apply", "and s <= a and", "and", "going_on.who_goes_on_after_closing_the_page_waits_for_mere_silence_again"),
    ("apply", "and silent == floor(max(a, s, p) / 100)\n  local", "\n  local",
     "going_on.silence_is_stored_only_when_it_is_not_since_the_last_event"),
    ("apply", "looks_around = not state and", "looks_around =",
     "going_on.who_goes_on_after_an_order_waits_again"),
    ("claim", "'activity', marked(activity), 'state', 'abandoned'", "'state', 'abandoned'",
     "going_on.who_goes_on_after_a_claim_calls_it_off"),
    ("claim", "'activity', marked(activity), 'state', outcome", "'state', outcome",
     "going_on.who_goes_on_after_a_silence_that_made_no_outreach_waits_again"),
    ("hand_over", "has[1] and {'activity', marked(has[1])} or {}", "{}",
     "hand_over.newer_activity_of_the_old_session_is_its_own"),
    ("apply", "more[1] or more[2]", "more[2]",
     "sessions.a_signal_of_an_unknown_session_waits_in_no_lane_until_its_stage_is_known"),
    ("apply", "more[1] or more[2]", "more[1]", "forgotten.events_from_before_do_not_bring_it_back",
     {"kind": "activity"}),
    ("apply", "not was_a or a <= was_a", "not was_a",
     "sessions.an_older_activity_that_arrives_late_moves_nothing_at_the_same_place"),
    ("apply", "not was_a or a <= was_a", "a <= number_of(was)", "going_on.who_goes_on_after_a_claim_calls_it_off"),
    ("apply", "was and (a - was_a) % 100 == 0", "was", "sessions.the_newest_activity_decides_stage_and_silence"),
    ("apply", "call('ZREM', idle_lane(prefix, ranks, was_a), id)", "text(0)",
     "sessions.going_back_to_an_earlier_stage_moves_to_its_lane"),
    ("apply", "signal == '0' and order", "order",
     "sessions.a_signal_that_names_a_stage_needs_no_activity_before_it"),
    ("apply", "signal == '0' and order == '0' and", "signal == '0' and",
     "sessions.an_order_that_names_a_stage_is_an_order"),
    ("apply", " and event[5] == sub(activity, 1, -3)", "",
     "going_on.silence_is_stored_only_when_it_is_not_since_the_last_event"),
    ("apply", "if a - a % (100 * HOUR) > was_a then", "if false then", "going_on.who_goes_on_for_hours_lives_on"),
    ("apply", "lane ~= was_lane or silent < was_silent", "lane ~= was_lane",
     "going_on.silence_that_begins_earlier_than_thought_moves_down_in_the_lane"),
    ("apply", "elseif was and not is then call('HDEL', key, name) end", "end",
     "going_on.silence_is_stored_only_when_it_is_not_since_the_last_event"),
]  # fmt: skip

AHEAD: list[Mutant] = [
    ("apply", "if was_ahead then has", "if false then has",
     "ahead.a_session_from_the_future_moves_with_its_next_event", {"later": {"session_id": "s-1", "type": "activity",
     "flow_stage": "checkout", "platform": "web"}}),
    ("apply", "silent < was_silent or was_ahead", "silent < was_silent",
     "ahead.an_old_event_brings_a_session_back_from_the_future", {"later": {"session_id": "s-1", "type": "activity",
     "flow_stage": "checkout", "platform": "web"}}),
    ("apply", "or stamp_of(known) > (now + AHEAD) * 100 + 99", "",
     "ahead.a_field_from_the_future_gives_way_to_the_next_one"),
    ("apply", "last > (now + AHEAD) * 100", "last > now * 100", "ahead.clocks_that_differ_a_little_change_nothing"),
    ("claim", "put_back_all(prefix, lane[1], lane[5], now, limit)", "",
     "ahead.a_sweep_puts_back_to_now_what_waits_from_the_future_on", {"stage": "checkout"}),
    ("claim", "now + (expires and FURTHEST or AHEAD)", "now + AHEAD",
     "ahead.a_sweep_leaves_a_voucher_its_time_and_a_far_one_not"),
    ("claim", "redis.call('PEXPIREAT', key, text(now + SESSION_TTL + 3600000))", "text(0)",
     "ahead.a_sweep_puts_back_to_now_what_waits_from_the_future_on", {"stage": "checkout"}),
    ("claim", "if is_ahead(has, last, now) then put_back", "if false then put_back",
     "ahead.a_sweep_puts_back_to_now_what_waits_from_the_future_on", {"stage": "checkout"}),
    ("apply", "more[1] or more[2] or more[3]", "more[1] or more[2]",
     "going_on.who_was_only_seen_before_begins_like_any_other"),
]  # fmt: skip

STAYS: list[Mutant] = [
    ("apply", "    note_stay(key, activity, was, write)\n", "",
     "stays.each_place_keeps_when_it_was_first_and_last_reached"),
    ("apply", "if a > 0 and a ~= was_a then note_stay", "if false then note_stay",
     "stays.what_comes_late_was_first_or_last_all_the_same"),
    ("apply", "if a > 0 and a ~= was_a then note_stay", "if event[2] and a ~= was_a then note_stay",
     "stays.an_event_that_says_no_place_is_at_none"),
    ("apply", "local at, ms = sub(activity, -2)", "was = was or '0000'\n  local at, ms = sub(activity, -2)",
     "stays.where_the_first_event_says_no_place_the_next_is_the_first"),
    ("apply", "if at == was_at then return end", "",
     "stays.any_order_and_repetition_keeps_the_same", {"fields": {"type": "exit"}}),
    ("apply", "put(write, 'last.' .. was_at, sub(was, 1, -3))", "",
     "stays.each_place_keeps_when_it_was_first_and_last_reached"),
    ("apply", "call('HSETNX', key, 'first.' .. at", "call('HSET', key, 'first.' .. at",
     "stays.each_place_keeps_when_it_was_first_and_last_reached"),
    ("apply", "if call('HSETNX', key, 'first.' .. at, ms) == 0 then call('HDEL', key, 'last.' .. at) end",
     "call('HSETNX', key, 'first.' .. at, ms)",
     "stays.any_order_and_repetition_keeps_the_same", {"fields": {}}),
    ("apply", "not has[1] or tonumber(ms) < tonumber(has[1])", "not has[1]",
     "stays.what_comes_late_was_first_or_last_all_the_same"),
    ("apply", "not has[1] or tonumber(ms)", "tonumber(ms)", "stays.any_order_and_repetition_keeps_the_same",
     {"fields": {}}),
    ("apply", "at ~= sub(was, -2) and ", "", "stays.any_order_and_repetition_keeps_the_same",
     {"fields": {}}),
    ("apply", "not has[2] or tonumber(ms) > tonumber(has[2])", "true",
     "stays.what_comes_late_was_first_or_last_all_the_same"),
]  # fmt: skip

TAKEN_OVER: list[Mutant] = [
    ("apply", "elseif taken_over > 0 and max(a, s) <= taken_over then state = 'moved'", "",
     "hand_over.the_order_of_the_events_does_not_matter"),
    ("apply", "and max(a, s) <= taken_over", "", "hand_over.newer_activity_of_the_old_session_is_its_own"),
    ("apply", "if to[1] or tell or", "if tell or", "hand_over.the_order_of_the_events_does_not_matter"),
    ("hand_over", "and math.max(a, s) <= stamp then", "then",
     "hand_over.a_takeover_from_before_the_last_activity_leaves_the_old_session_as_it_is"),
    ("hand_over", "if p <= a and", "if", "hand_over.a_session_that_bought_stays_bought"),
    ("hand_over", "if has[4] == 'abandoned' then call_off(prefix, key, 'moved') end", "",
     "hand_over.what_is_open_for_the_old_session_is_called_off_unless_it_is_sending", {"is_sending": False}),
    ("hand_over", "if lane then redis.call('ZREM', lane, ARGV[1]) end", "",
     "hand_over.the_old_session_waits_for_nothing_any_more"),
    ("hand_over", "redis.call('PEXPIRE', key, SESSION_TTL)", "",
     "hand_over.a_session_that_nobody_knows_can_be_taken_over"),
    ("inherit", "ARGV[i + 1] > known", "true", "hand_over.the_new_session_knows_what_the_old_one_did"),
    ("inherit", "if tonumber(ARGV[2]) > before then", "if false then",
     "hand_over.contacts_of_the_old_session_count_for_the_new_one"),
    ("inherit", "has[6] == 'moved' and has[7] or ''", "''", "hand_over.a_chain_of_sessions_hands_on_to_the_last"),
]  # fmt: skip

CLAIM: list[Mutant] = [
    ("claim", "now - overdue > max_age", "false", "claims.what_has_been_overdue_for_too_long_expires"),
    ("claim", "elseif not reachable", "elseif false", "claims.who_cannot_be_reached_is_settled_on_the_spot",
     {"missing": "full_name"}),
    ("claim", "#has[5 + n] > STAMP_WIDTH", "true", "claims.who_took_the_number_back_cannot_be_reached"),
    ("claim", "lane[4] ~= ''", "false", "claims.a_lane_that_is_left_alone_is_suppressed_with_the_reason"),
    ("claim", "lane[5] and since or ", "", "claims.the_age_of_a_lapsed_voucher_is_measured_from_its_expiry"),
    ("claim", "lane[5] and since or math.floor(last / 100)", "since",
     "claims.age_is_measured_by_when_it_occurred_not_by_when_it_arrived"),
    ("claim", "redis.call('ZREM', set, id)", "", "claims.a_claimed_session_becomes_an_outreach_that_is_due"),
    ("claim", "if not has[1] then count(prefix, now, 'expired.session_gone' .. where(lane[1]), 1)\n      elseif", "if",
     "claims.a_lane_member_whose_session_has_expired_ends_as_expired"),
    ("claim", "and lane_of(prefix, ranks, activity, signal) == set", "",
     "going_on.a_session_that_stands_in_a_lane_it_left_long_ago_is_not_claimed_from_it"),
    ("claim", "waits and since > lane[2]", "false",
     "going_on.a_sweep_moves_up_who_went_on_and_claims_them_in_their_own_time"),
    ("claim", "redis.call('ZADD', set, text(since), id)", "text(0)",
     "going_on.a_sweep_moves_up_who_went_on_and_claims_them_in_their_own_time"),
    ("claim", "not has[4] and ", "", "claims.a_lane_that_still_has_a_session_which_is_done_does_not_claim_it_again"),
    ("claim", "redis.call('PERSIST', key)", "", "claim_limits.a_session_lives_without_end_while_its_outreach_is_open"),
    ("claim", "redis.call('PEXPIRE', key, SESSION_TTL)", "redis.call('PERSIST', key)",
     "claims.who_cannot_be_reached_is_settled_on_the_spot", {"missing": "full_name"}),
    ("claim", "text(limit - looked)", "text(limit)", "claim_limits.one_script_call_takes_no_more_than_its_limit"),
]  # fmt: skip

OUTBOX: list[Mutant] = [
    ("lease_due", "if state == 'waiting' then", "if state then", "outbox.dispatch_hands_out_none_that_has_ended",
     {"ended": "cancelled"}),
    ("lease_due", "redis.call('ZREM', prefix .. 'due', id)", "", "outbox.dispatch_leases_nothing_twice"),
    ("lease_due", "'-inf', text(now)", "'-inf', '+inf'", "outbox.dispatch_does_not_trust_the_clock_of_its_caller"),
    ("lease_due", "elseif not state then\n    count", "elseif false then\n    count",
     "outbox.dispatch_drops_an_outreach_whose_record_is_gone"),
    ("take", "if has[1] ~= 'waiting' then return false end", "", "outbox.a_doubled_message_is_dropped"),
    ("take", "if has[1] ~= 'waiting' then return false end", "", "outbox.one_that_is_sending_cannot_be_taken"),
    ("take", "not redis.call('ZSCORE', prefix .. 'leased', id)", "false",
     "outbox.a_message_that_comes_while_it_backs_off_is_dropped"),
    ("take", "not redis.call('ZSCORE', prefix .. 'leased', id)", "false",
     "outbox.a_message_that_comes_when_it_is_due_again_waits_for_the_next_dispatch"),
    ("take", "tonumber(has[2]) >= tonumber(ARGV[3])", "false",
     "outbox.an_outreach_that_stops_its_worker_again_and_again_is_dead"),
    ("take", ", 'claim', text(math.max(tonumber(has[4]) + 1, now))", "",
     "outbox_ends.who_lost_it_to_a_later_claim_cannot_end_it"),
    ("take", "redis.call('ZADD', prefix .. 'leased', text(now + ARGV[2]), id)", "", "outbox.taking_renews_the_lease"),
    ("end_unsent", "has[1] ~= 'leased' or ", "", "outbox_ends.the_policy_cannot_end_what_is_sending"),
    ("end_unsent", " or has[2] ~= ARGV[2]", "", "outbox_ends.who_lost_it_to_a_later_claim_cannot_end_it"),
    ("postpone", "has[1] ~= 'leased' or ", "", "outbox_ends.what_is_sending_cannot_be_postponed"),
    ("postpone", " or has[2] ~= ARGV[2]", "", "outbox_ends.who_lost_it_to_a_later_claim_cannot_postpone_it"),
    ("reap", "if state == 'waiting' or state == 'leased' then\n", "if state then\n",
     "outbox_ends.a_sending_one_whose_lease_ran_out_is_unknown"),
    ("reap", "if state == 'waiting' or state == 'leased' then\n", "if state == 'leased' then\n",
     "outbox_ends.an_unsent_one_whose_lease_ran_out_is_due_again", {"is_taken": False}),
    ("reap", "'-inf', text(now)", "'-inf', '+inf'", "outbox_ends.a_lease_that_still_runs_is_left_alone"),
    ("reap", "'state', 'waiting')", "'state', 'waiting', 'takes', 0)",
     "outbox.an_outreach_that_stops_its_worker_again_and_again_is_dead"),
    ("reap", "if not state then count", "if false then count",
     "outbox_ends.a_lease_whose_record_is_gone_is_cleaned_up"),
    ("reap", "redis.call('ZREM', prefix .. 'leased', id)\n    if not", "if not",
     "outbox_ends.a_lease_whose_record_is_gone_is_cleaned_up"),
    ("reap", "redis.call('ZREMRANGEBYSCORE'", "text(0, 'ZREMRANGEBYSCORE'",
     "outbox_ends.what_waits_for_a_decision_is_forgotten_with_its_record", {"parked": "dead"}),
    ("", "'state', 'waiting', 'takes', 0", "'state', 'waiting'",
     "outbox.takes_that_ended_in_order_are_not_held_against_it"),
]  # fmt: skip

FENCE: list[Mutant] = [
    ("fence", "has[1] ~= 'leased' or ", "", "fence.nobody_passes_the_fence_twice"),
    ("fence", "has[1] ~= 'leased' or ", "", "fence.one_that_waits_again_does_not_pass_the_fence"),
    ("fence", " or has[2] ~= ARGV[2]", "", "fence.an_earlier_claim_does_not_pass_the_fence"),
    ("fence", " or tonumber(lease) <= now", "", "fence.a_lease_that_ran_out_does_not_pass_the_fence"),
    ("fence", "not lease or tonumber(lease) <= now", "lease and tonumber(lease) <= now",
     "fence.an_outreach_without_a_lease_does_not_pass_the_fence"),
    ("fence", "is[1] ~= 'abandoned' or is[2] ~= id then", "is[2] and is[2] ~= id then",
     "fence.the_fence_cancels_when_the_session_is_gone"),
    ("fence", "is[1] ~= 'abandoned' or ", "",
     "fence.the_fence_cancels_when_the_session_moved_on_without_calling_it_off", {"moved_to": "bought"}),
    ("fence", " or is[2] ~= id then", " then", "fence.the_fence_cancels_when_another_outreach_has_the_session"),
    ("fence", "if is[3] and is[3] ~= id and", "if false and",
     "fence.a_second_outreach_of_the_session_waits_while_the_first_is_sending"),
    ("fence", "redis.call('HSET', session, 'sending', id)", "",
     "fence.a_second_outreach_of_the_session_waits_while_the_first_is_sending"),
    ("fence", "redis.call('HGET', prefix .. 'outreach:' .. is[3], 'state') == 'sending'", "true",
     "fence.a_second_outreach_passes_once_the_record_of_the_first_is_gone"),
    ("fence", "redis.call('ZADD', prefix .. 'leased', text(now + ARGV[3]), id)", "",
     "fence.the_fence_renews_the_lease"),
    ("fence", "redis.call('HINCRBY', key, 'attempts', 1)", "1",
     "fence.the_fence_counts_the_attempt_and_keeps_what_is_sent"),
]  # fmt: skip

SETTLE: list[Mutant] = [
    ("settle", "(has[1] ~= 'sending' and has[1] ~= 'unknown') or ", "", "settle.an_answer_is_recorded_once"),
    ("settle", "(has[1] ~= 'sending' and has[1] ~= 'unknown') or ", "",
     "settle.an_attempt_that_never_began_cannot_be_settled"),
    ("settle", "has[1] ~= 'sending' and has[1] ~= 'unknown'", "has[1] ~= 'sending'",
     "settle.a_late_sent_corrects_unknown"),
    ("settle", " or has[2] ~= ARGV[2]", "", "settle.an_earlier_claim_cannot_settle_a_later_attempt"),
    ("settle", "if result == 'unknown' or ARGV[7] == '1' then return 'unknown' end", "",
     "settle.a_late_answer_that_says_nothing_corrects_nothing", {"result": "retry"}),
    ("settle", "result == 'unknown' or ARGV[7] == '1'", "ARGV[7] == '1' and result ~= 'unknown'",
     "settle.a_late_answer_that_says_nothing_corrects_nothing", {"result": "unknown"}),
    ("settle", "uncount(prefix, id)", "",
     "settle.a_late_sent_corrects_unknown"),
    ("settle", "redis.call('ZREM', prefix .. has[1], id)", "", "settle.a_late_sent_corrects_unknown"),
    ("settle", "redis.call('HINCRBY', session, 'contacts', -1)", "text(0)", "settle.a_late_sent_corrects_unknown"),
    ("settle", "tonumber(redis.call('HGET', session, 'contacts') or 0) > 0", "true",
     "settle.a_late_answer_for_a_session_that_is_gone_leaves_no_negative_count_behind"),
    ("settle", "redis.call('PERSIST', key)", "", "settle.a_late_answer_that_it_was_not_sent_opens_it_again",
     {"result": "retry", "attempts": "1"}),
    ("settle", "redis.call('PERSIST', session)", "", "settle.a_late_answer_that_it_was_not_sent_opens_it_again",
     {"result": "retry", "attempts": "1"}),
    ("settle", "if is[1] ~= 'abandoned' or is[2] ~= id then\n    return", "if false then\n    return",
     "settle.there_is_no_retry_when_they_came_back_meanwhile",
     {"result": "retry", "kind": "activity", "reason": "came_back"}),
    ("settle", "if is[1] ~= 'abandoned' or is[2] ~= id then\n    return", "if is[1] ~= 'abandoned' then\n    return",
     "settle.there_is_no_retry_when_another_outreach_has_the_session"),
    ("settle", "if result == 'not_sent' then redis.call('HINCRBY', key, 'attempts', -1) end", "",
     "settle.an_attempt_that_was_not_made_is_not_counted"),
    ("settle", "if redis.call('HGET', session, 'sending') == id then redis.call('HDEL', session, 'sending') end", "",
     "settle.a_retry_is_due_after_its_delay_with_the_same_body_and_key"),
    ("settle", "if ARGV[7] == '1' then redis.call('HSET', key, 'ambiguous', 1) end", "",
     "ambiguous.after_an_ambiguous_attempt_it_ends_unknown", {"result": "dead"}),
]  # fmt: skip

ENDS: list[Mutant] = [
    ("", "if known[2] and state ~= 'sent'", "if false and state ~= 'sent'",
     "ambiguous.an_ambiguous_one_that_waits_ends_unknown_when_they_come_back"),
    ("", "state ~= 'sent' and state ~= 'unknown' then\n    state,", "state ~= 'unknown' then\n    state,",
     "ambiguous.after_an_ambiguous_attempt_it_may_still_be_sent"),
    ("", "redis.call('HDEL', key, 'body')", "", "settle.the_body_is_deleted_at_every_end"),
    ("", "redis.call('PEXPIRE', key, OUTREACH_TTL)", "", "outbox_ends.an_ended_outreach_is_kept_for_thirty_days"),
    ("", "redis.call('ZREM', prefix .. 'due', id)\n  redis.call('ZREM', prefix .. 'leased', id)", "",
     "outbox_ends.the_policy_ends_it_with_a_reason", {"ended": "suppressed"}),
    ("", "redis.call('ZREM', prefix .. 'due', id)\n  redis.call('ZREM', prefix .. 'leased', id)",
     "redis.call('ZREM', prefix .. 'leased', id)",
     "coming_back.what_happens_after_the_claim_cancels_what_waits_or_is_leased",
     {"kind": "exit", "reason": "came_back", "is_taken": False}),
    ("", "if state == 'unknown' or state == 'dead' then", "if state == 'unknown' then",
     "settle.an_attempt_ends_its_outreach", {"result": "dead", "place": {"dead"}, "contacts": 0}),
    ("", "redis.call('HINCRBY', session, 'contacts', 1)", "",
     "settle.an_attempt_ends_its_outreach", {"result": "unknown", "place": {"unknown"}, "contacts": 1}),
    ("", "if is[3] == id then redis.call('HDEL', session, 'sending') end", "",
     "settle.an_attempt_ends_its_outreach", {"result": "sent", "place": set(), "contacts": 1}),
    ("", "if is[1] ~= 'abandoned' or not is[2] or is[2] == id then", "if true then",
     "coming_back.a_session_stays_without_end_when_its_earlier_outreach_ends_last"),
    ("", "if is[1] ~= 'abandoned' or not is[2] or is[2] == id then", "if false then",
     "claim_limits.a_session_lives_without_end_while_its_outreach_is_open"),
    ("", "or not is[2] or is[2] == id then", "or is[2] == id then",
     "coming_back.an_order_that_comes_late_while_it_is_sending_leaves_the_session_with_a_time_to_live"),
]  # fmt: skip

PEOPLE: list[Mutant] = [
    ("reserve", "if sources[1] and not", "if false and not", "people.who_opted_out_is_never_reserved"),
    ("reserve", "not (shared and sources[1]", "not (sources[1]", "people.an_opt_out_of_a_linked_identity_stops_it"),
    ("reserve", "shared and sources[1] == 'linked' and", "shared and",
     "people.its_own_opt_out_counts_for_a_shared_address", {"linked": False}),
    ("reserve", "sources[1] == 'linked' and not sources[2]", "sources[1] == 'linked'",
     "people.its_own_opt_out_counts_for_a_shared_address", {"linked": True}),
    ("reserve", "not (shared and sources[1] == 'linked' and not sources[2])", "true",
     "people.opt_outs_of_others_do_not_count_for_a_shared_address"),
    ("reserve", "if shared then return 'shared' end", "", "people.a_shared_address_reserves_nobody"),
    ("reserve", "ARGV[6] ~= '' and is_shared", "is_shared", "people.a_number_used_with_many_addresses_is_reserved"),
    ("reserve", "'bought_linked') > 0", "'bought_linked') > 2",
     "people.who_buys_between_two_attempts_is_not_reserved_again"),
    ("reserve", "call('EXISTS', prefix .. 'bought', prefix .. 'bought_linked')", "call('EXISTS', prefix .. 'bought')",
     "people.an_order_of_a_linked_identity_stops_it"),
    ("reserve", "if is_refusal(answer_of(prefix, channel)) then", "if false then",
     "people.a_person_who_refused_the_channel_is_not_reserved", {"channels": ("call",)}),
    ("reserve", "string.gmatch(ARGV[5], '%S+')", "string.gmatch('call whatsapp', '%S+')",
     "people.a_refusal_of_another_channel_does_not_matter"),
    ("reserve", "if now - at < lease then return 'held' end", "",
     "people.another_outreach_finds_the_person_held_until_a_lease_has_passed"),
    ("reserve", "if contacts >= tonumber(ARGV[i]) then return 'capped' end", "",
     "people.another_outreach_finds_the_person_held_until_a_lease_has_passed"),
    ("reserve", "contacts >= tonumber(ARGV[i])", "contacts > tonumber(ARGV[i])",
     "people.as_many_contacts_as_a_limit_allows_are_reserved", {"count": 2}),
    ("reserve", "contacts >= tonumber(ARGV[i])", "contacts > 0",
     "people.as_many_contacts_as_a_limit_allows_are_reserved", {"count": 2}),
    ("reserve", "for i = 10, #ARGV, 2 do", "for i = 10, 10, 2 do", "people.each_of_several_limits_holds"),
    ("reserve", "if age < within then", "if true then", "people.a_contact_outside_every_period_does_not_count"),
    ("reserve", "ARGV[i + 1] + lease", "ARGV[i + 1] + 0", "people.a_contact_counts_for_a_period_and_a_lease"),
    ("reserve", "if tonumber(claim) > tonumber(ARGV[2]) then return 'lost' end", "",
     "people.an_earlier_claim_of_the_same_outreach_has_lost_the_person", {"later": 2, "earlier": 1}),
    ("reserve", "tonumber(claim) > tonumber(ARGV[2])", "claim > ARGV[2]",
     "people.an_earlier_claim_of_the_same_outreach_has_lost_the_person", {"later": 10, "earlier": 9}),
    ("reserve", "call('HDEL', key, unpack(old))", "text(0)", "people.contacts_of_long_ago_are_not_kept"),
    ("reserve", "call('PEXPIRE', key, ARGV[3])", "text(0)",
     "people.a_free_person_is_reserved_for_the_cap_and_a_lease"),
    ("release", "string.sub(held, 1, #mine) == mine", "true",
     "people.only_the_attempt_that_holds_the_person_releases_them", {"outreach": "07-0123456789abcdef", "claim": 3}),
    ("release", "ARGV[2] .. ':'", "ARGV[2]", "people.a_claim_that_begins_like_another_releases_nobody"),
    ("mark", "at and at + ARGV[3] > now and", "at and", "people.a_purchase_before_the_window_marks_nobody",
     {"ago_ms": 365 * DAY_MS}),
    ("mark", "tonumber(call('GET', key) or 0) < at", "true",
     "people.the_latest_purchase_counts_in_whatever_order_they_come", {"ages_ms": (0, HOUR_MS)}),
    ("mark", "linked and 'bought_linked' or 'bought'", "'bought'", "linking.a_mark_goes_one_link_far",
     {"what": "bought"}),
    ("mark", "linked and 'linked' or 'shop'", "'shop'", "linking.a_mark_goes_one_link_far", {"what": "opted_out"}),
    ("mark", "(linked and LINKED or '')", "''", "linking.a_mark_goes_one_link_far", {"what": "refused"}),
    ("mark", "not known or answer > known", "not known", "linking.the_latest_answer_counts_in_any_order",
     {"order": (0, 1, 2)}),
    ("mark", "not known or answer > known", "true", "linking.the_latest_answer_counts_in_any_order",
     {"order": (2, 1, 0)}),
    ("mark", "if refused then call('PERSIST', key) else", "do", "linking.a_refusal_is_kept_until_it_is_taken_back"),
    ("mark", "else call('PEXPIRE', key, ARGV[5]) end", "end", "linking.a_refusal_is_kept_until_it_is_taken_back"),
    ("mark", "not is_refusal(answer) and is_barred", "is_barred",
     "linking.of_a_person_forgotten_since_only_refusals_are_kept"),
    ("mark", "local barred = not is_refusal(answer) and is_barred", "local barred = false and is_barred",
     "linking.of_a_person_forgotten_since_only_refusals_are_kept"),
    ("mark", "if linked or is_shared(prefix, ARGV[6]) then", "if linked then",
     "linking.nothing_is_passed_on_over_a_shared_address", {"first": "links"}),
    ("note", "if is_shared(prefix, ARGV[8]) then", "if false then",
     "linking.nothing_is_passed_on_over_a_shared_address", {"first": "mark"}),
    ("note", "return {'', unpack(direct_marks(prefix))}", "return {''}",
     "linking.marks_and_links_may_come_in_any_order", {"order": ("mark", "link")}),
    ("mark", "return {new, unpack(call('ZRANGE', prefix .. 'links', '0', '-1'))}", "return {new}",
     "linking.marks_and_links_may_come_in_any_order", {"order": ("link", "mark")}),
    ("note", "if is_barred(prefix, at) then return {''} end", "",
     "linking.a_person_forgotten_since_is_not_named_again"),
    ("note", "call('ZREMRANGEBYSCORE', links, '-inf', text(now - ARGV[6]))", "text(0)",
     "linking.links_of_long_ago_do_not_count"),
    ("facts", "is_shared(prefix, ARGV[1]) and 'shared' or ''", "''", "linking.a_shared_address_says_so"),
    ("facts", ", prefix .. 'bought_linked') > 0", ") > 0", "linking.a_mark_goes_one_link_far", {"what": "bought"}),
]  # fmt: skip

ATTRIBUTION: list[Mutant] = [
    ("claim", "count(prefix, now, outcome .. where(lane[1]), 1)", "count(prefix, now, outcome, 1)",
     "tallies.what_sessions_end_as_is_counted_where_they_fell_silent"),
    ("claim", "'expired.session_gone' .. where(lane[1])", "'expired.session_gone'",
     "tallies.what_sessions_end_as_is_counted_where_they_fell_silent"),
    ("", "outcome(state, reason) .. where(known[3])", "outcome(state, reason)",
     "tallies.what_sessions_end_as_is_counted_where_they_fell_silent"),
    ("credit", "made_at < contacted_at or ", "",
     "attribution_contacts.a_contact_is_not_credited_with_an_order_from_before_it"),
    ("credit", " or made_at > contacted_at + ARGV[3]", "",
     "attribution.the_last_millisecond_of_the_window_counts", {"late_ms": 1, "counts": False}),
    ("credit", "not contacted_at or made_at < contacted_at or", "made_at < (contacted_at or 0) or",
     "attribution_contacts.an_order_that_finds_an_outreach_which_reached_nobody_is_not_credited"),
    ("credit", "if known and known <= order then return 0 end", "if known then return 0 end",
     "attribution.of_two_orders_the_first_that_was_made_counts_in_whatever_sequence_they_come", {"later_first": True}),
    ("credit", "if known and known <= order then return 0 end", "",
     "attribution.of_two_orders_the_first_that_was_made_counts_in_whatever_sequence_they_come", {"later_first": False}),
    ("credit", "if known then count_order(prefix, has[1], has[2], contacted_at, known, -1) end", "",
     "attribution.of_two_orders_the_first_that_was_made_counts_in_whatever_sequence_they_come", {"later_first": True}),
    ("credit", "redis.call('HSET', key, 'order', order)", "", "attribution.an_order_that_comes_twice_counts_once"),
    ("", "if not group then return end", "if not group then group = 'recovered' end",
     "attribution_contacts.while_nobody_knows_whether_it_was_sent_an_order_waits", {"result": "unknown"}),
    ("", "state == 'suppressed' and 'control'", "nil",
     "attribution_contacts.an_order_of_somebody_held_out_is_one_to_compare_with"),
    ("", " or outcome(state, reason) == 'suppressed.holdout'", "",
     "attribution_contacts.an_order_of_somebody_held_out_is_one_to_compare_with"),
    ("", "outcome(state, reason) == 'suppressed.holdout'", "state == 'suppressed'",
     "attribution_contacts.an_order_after_an_outreach_that_reached_nobody_is_nobodys_merit", {"result": "suppressed"}),
    ("", "measured and tonumber(known[4] or at) or at", "at",
     "attribution_contacts.a_corrected_contact_is_counted_on_the_day_on_which_it_was_made"),
    ("", "redis.call('HDEL', key, 'contacted_at', 'order')", "text(0)",
     "attribution_contacts.when_it_turns_out_not_to_have_been_sent_the_order_is_nobodys_merit",
     {"result": "dead", "order_first": False}),
    ("", "if measured and known[5] then count_order", "if false then count_order",
     "attribution_contacts.when_an_unknown_one_turns_out_to_have_been_sent_the_order_counts", {"order_first": True}),
    ("", "redis.call('HSET', session, 'contacted', id)", "",
     "attribution.so_is_one_of_the_session_when_it_has_another_number_by_then"),
    ("", "tonumber(was[4] or was[3])", "tonumber(was[3])",
     "attribution_contacts.a_corrected_contact_is_counted_on_the_day_on_which_it_was_made"),
    ("settle", "redis.call('HDEL', key, 'contacted_at', 'order')\n  redis.call('PERSIST', session)", "",
     "attribution_contacts.what_was_opened_again_and_sent_then_counts_from_then_on"),
    ("reserve", "remember(prefix, id, now, ARGV[7], ARGV[8], ARGV[9])", "",
     "attribution_contacts.an_attempt_leads_the_persons_orders_to_its_contact"),
    ("reserve", "if contacts >= tonumber(ARGV[i]) then return 'capped' end", "",
     "attribution_contacts.who_may_not_be_contacted_is_not_remembered_as_contacted"),
    ("reserve", "> tonumber(for_ms) then", "> 2 * for_ms then",
     "attribution_contacts.contacts_of_long_ago_are_forgotten_though_new_ones_come"),
    ("reserve", "redis.call('PEXPIRE', key, for_ms)", "",
     "attribution_contacts.a_contact_is_found_as_long_as_an_order_may_come_late"),
    ("apply", "begun[a % 100] = (begun[a % 100] or 0) + 1\n    end", "end",
     "attribution_contacts.a_session_is_counted_once_where_it_was_first_seen"),
    ("apply", "if was_a == 0 and a > 0 then begun", "if false then begun",
     "attribution_contacts.a_session_is_counted_once_where_it_was_first_seen"),
    ("apply", "if was_a == 0 and a > 0 then begun", "if a > was_a then begun",
     "attribution_contacts.a_session_is_counted_once_where_it_was_first_seen"),
    ("apply", "if was_a == 0 and a > 0 then begun", "if was_a == 0 then begun",
     "attribution_contacts.a_session_is_counted_once_where_it_was_first_seen"),
]  # fmt: skip

STREAM: list[Mutant] = [
    ("acknowledge", "deleted = redis.call('XDEL', KEYS[1], unpack(ARGV, 4))", "",
     "full_server.what_was_applied_is_acknowledged_all_the_same"),
    ("acknowledge", "head and head[1] == first", "head", "stream.one_read_behind_another_leaves_that_in_the_stream"),
    ("acknowledge", "ARGV[2] == '1' and", "", "stream.entries_of_several_reads_take_nothing_between_them_along"),
    ("acknowledge", " + redis.call('XDEL', KEYS[1], last)", "",
     "stream.one_read_at_the_head_of_the_stream_is_cut_off"),
    ("acknowledge", "redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 4))", "0",
     "full_server.what_was_applied_is_acknowledged_all_the_same"),
    ("open_sweep", "math.abs(gap) > long", "false",
     "watermark.after_a_hole_silence_is_measured_from_the_reopening"),
    ("open_sweep", "'last', text(now), ", "", "watermark.a_sweep_leaves_behind_when_it_began"),
    ("watermark", "first[1] and first[1][1] or ''", "''",
     "ingest.the_watermark_holds_while_an_event_waits"),
    ("streams", "tonumber(ARGV[1]) <= recorded", "false", "streams.there_are_never_fewer_than_there_once_were"),
    ("streams", "tonumber(ARGV[1]) <= recorded", "ARGV[1] <= tostring(recorded)",
     "streams.there_are_never_fewer_than_there_once_were"),
    ("streams", " flags=allow-oom", "", "full_server.how_many_streams_there_are_can_be_recorded_all_the_same"),
    ("last_id", "about[i] == 'last-generated-id'", "about[i] == 'recorded-first-entry-id'",
     "watermark.the_last_id_outlives_its_entry"),
    ("last_id", "redis.call('EXISTS', KEYS[1]) == 0", "false", "watermark.the_last_id_of_no_stream_is_zero"),
]  # fmt: skip

ROTATION: list[Mutant] = [
    ("replace", "if redis.call('HGET', key, ARGV[i]) == ARGV[i + 1] then", "if true then",
     "rotation.what_somebody_writes_meanwhile_is_not_undone"),
    ("replace", "if redis.call('HGET', key, ARGV[i]) == ARGV[i + 1] then", "if true then",
     "rotation.a_session_that_expires_meanwhile_does_not_come_back"),
]  # fmt: skip

MUTANTS = [
    *APPLY,
    *GOING_ON,
    *AHEAD,
    *STAYS,
    *TAKEN_OVER,
    *CLAIM,
    *OUTBOX,
    *FENCE,
    *SETTLE,
    *ENDS,
    *PEOPLE,
    *ATTRIBUTION,
    *STREAM,
    *CONTROL,
    *CLOCK,
    *OPERATOR,
    *FORGET,
    *OPT_OUTS,
    *ROTATION,
]


class Mutated(Scripts):
    """The scripts with one of them, or when none is named all, changed."""

    def __init__(self, client: Any, script: str, old: str, new: str) -> None:  # noqa: ANN401 - a client
        super().__init__(client)
        self._script, self._old, self._new = script, old, new
        self.changed = 0

    def text(self, name: str) -> str:
        text = super().text(name)
        if self._script in {"", name}:
            self.changed += text.count(self._old)
            text = text.replace(self._old, self._new)
        return text


@pytest.fixture
def client(valkey: EmbeddedValkey) -> Iterator[Any]:
    """An empty server whose keys may live for ever: that may be what a mutant does."""
    with closing(connect(valkey.url)) as found:
        yield found
        found.flushall()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant[0]}: {mutant[1]}")
def test_a_guard_that_is_taken_out_is_missed(client: Any, mutant: Mutant) -> None:  # noqa: ANN401 - a client
    script, old, new, test, *case = mutant
    scripts = Mutated(client, script, old, new)
    with pytest.raises((AssertionError, StateError, LookupError, ValueError, pytest.fail.Exception)):
        run(make_state(client, scripts), test, case[0] if case else {})
    assert scripts.changed, "there is no such line"


def test_with_the_guards_all_is_well(client: Any) -> None:  # noqa: ANN401 - a client
    """Otherwise a test might fail for its case, and not for its mutant."""
    for _, _, _, test, *case in MUTANTS:
        run(make_state(client, Scripts(client)), test, case[0] if case else {})
        client.flushall()


def run(state: State, test: str, case: dict[str, Any]) -> None:
    """Call a test as pytest would, with a state of our own."""
    module, _, name = test.partition(".")
    function = getattr(import_module(f"tests.test_{module}"), f"test_{name}")
    parameters = inspect.signature(function).parameters
    if "filled" in parameters:
        fill(state)
    given = {
        "state": state,
        "real_state": state,
        "merging": state,
        "filled": state,
        "at_ms": now_ms(state) - HOUR_MS,
    } | case
    function(**{name: given[name] for name in parameters})
