"""The guards of the scripts on the control keys, each with the test that stands for it; see tests/test_mutants.py."""

from typing import Any

Mutant = tuple[str, str, str, str] | tuple[str, str, str, str, dict[str, Any]]

PERMITS: list[Mutant] = [
    ("permits", "if is == 'paused' then\n  granted = 0\nelse", "",
     "sending_stops.while_it_is_paused_nothing_is_dispatched_and_nothing_passes_the_gate"),
    ("permits", "now >= ends and math.min(granted, 1) or 0", "math.min(granted, 1)",
     "sending_stops.refused_keys_stop_everybody_at_once"),
    ("permits", "math.min(granted, 1) or 0", "granted or 0",
     "sending_stops.one_is_tried_each_minute_until_the_keys_work"),
    ("permits", "math.max(0, ", "math.max(-9, ", "permits.what_is_in_hand_may_still_need_its_place"),
    ("permits", "left - ARGV[2]", "left", "permits.what_is_in_hand_may_still_need_its_place"),
    ("permits", "math.min(granted, left - ARGV[2])", "granted",
     "permits.no_more_are_contacted_in_a_day_than_may_be"),
    ("permits", "math.max(stored, now_us)", "stored",
     "permits.permits_come_back_with_time_and_never_more_than_the_burst"),
    ("permits", "math.max(stored, now_us)", "stored", "permits.permits_that_are_returned_late_do_not_pile_up"),
    ("permits", "math.min(math.max(stored, now_us), now_us + room)", "math.max(stored, now_us)",
     "permits.a_clock_that_was_put_back_or_a_faster_rate_does_not_stop_sending_for_long"),
    ("permits", " or stored > next_us then", " then",
     "permits.a_clock_that_was_put_back_or_a_faster_rate_does_not_stop_sending_for_long"),
    ("permits", "math.min(granted, math.floor((now_us", "math.max(granted, math.floor((now_us",
     "permits.as_many_as_the_burst_go_at_once_and_then_no_more"),
    ("permits", "text(next_us + granted * interval)", "text(next_us)",
     "permits.as_many_as_the_burst_go_at_once_and_then_no_more"),
    ("permits", "if is and granted > 0 then", "if is then",
     "sending_stops.when_nothing_is_due_no_probe_is_used_up"),
    ("permits", "'retry_at', text(now + ARGV[6])", "'tries', 0",
     "sending_stops.one_is_tried_each_minute_until_the_keys_work"),
    ("permits", "redis.call('HSET', key, 'said', state)", "text(0)",
     "sending_stops.each_change_is_news_once_for_all_dispatchers"),
    ("permits", "left <= 0 and 'full' or 'on'", "'on'",
     "permits.it_is_news_once_when_the_day_is_used_up_and_once_when_it_is_not_any_more"),
]  # fmt: skip

GATE: list[Mutant] = [
    ("gate", "if is == 'paused' then return {'paused'} end", "if is == 'paused' then is = nil end",
     "sending_stops.while_it_is_paused_nothing_is_dispatched_and_nothing_passes_the_gate"),
    ("gate", "if is and probe ~= 'free' then return {'stopped'} end", "",
     "sending_stops.refused_keys_stop_everybody_at_once"),
    ("gate", "probe ~= 'free'", "probe == ''", "sending_stops.one_is_tried_each_minute_until_the_keys_work"),
    ("gate", "if not held and taken >= tonumber(ARGV[3]) then return {'full'} end", "",
     "permits.no_more_are_contacted_in_a_day_than_may_be"),
    ("gate", "not held and taken", "taken", "permits.an_outreach_that_is_tried_again_has_its_place_already"),
    ("gate", "if not held or tonumber(held) < tonumber(ARGV[2]) then", "if true then",
     "permits.an_earlier_claim_takes_no_place_back"),
    ("gate", "tonumber(held) < tonumber(ARGV[2])", "held < ARGV[2]", "permits.an_earlier_claim_takes_no_place_back"),
    ("gate", "redis.call('PEXPIRE', places, 2 * DAY)", "text(0)",
     "permits.the_contacts_of_a_day_are_forgotten_the_day_after_the_next"),
    ("gate", "'probe', id, ", "'probe', 'free', ", "sending_stops.one_is_tried_each_minute_until_the_keys_work"),
    ("gate", "'probe', id, 'retry_at', text(now + ARGV[4])", "'probe', id",
     "sending_stops.a_probe_that_is_lost_is_followed_by_another", {"passed_the_gate": True}),
    ("gate", "(is or redis.call('HEXISTS', key, 'failures') == 1)", "is",
     "sending_stops.a_success_in_between_begins_the_row_anew"),
    ("gate", "(is or redis.call('HEXISTS', key, 'failures') == 1)", "(redis.call('HEXISTS', key, 'failures') == 1)",
     "sending_stops.one_is_tried_each_minute_until_the_keys_work"),
]  # fmt: skip

REFUND: list[Mutant] = [
    ("refund", "redis.call('HGET', places, ARGV[1]) == ARGV[2]", "true",
     "permits.an_earlier_claim_takes_no_place_back"),
    ("refund", "redis.call('HDEL', places, ARGV[1])", "text(0)",
     "permits.a_place_is_given_back_when_nobody_was_contacted"),
    ("refund", "if unused == 0 then return end", "unused = 1", "permits.a_request_that_was_made_keeps_its_permit"),
    ("refund", "redis.call('HINCRBY', key, 'next_us'", "text(0, 'next_us'",
     "permits.a_permit_that_was_not_used_is_there_at_once"),
    ("refund", "probe == 'free' or probe and probe ~= '' and probe == ARGV[1]", "probe",
     "sending_stops.nobody_else_ends_a_probe_that_is_under_way"),
    ("refund", "and probe ~= '' ", "", "sending_stops.permits_that_come_back_bring_no_probe_forward"),
    ("refund", "probe == 'free' or probe and", "probe and",
     "sending_stops.a_probe_that_is_not_to_be_sent_gives_way_to_another_at_once"),
    ("refund", "or probe and probe ~= '' and probe == ARGV[1]", "",
     "sending_stops.a_probe_that_is_not_to_be_sent_gives_way_to_another_at_once"),
]  # fmt: skip

RECORD: list[Mutant] = [
    ("record", "if is[1] and is[2] ~= ARGV[1] then return end", "",
     "sending_stops.who_was_under_way_before_does_not_let_it_go_on"),
    ("record", "if is[1] and is[2] ~= ARGV[1] then return end", "",
     "sending_stops.what_comes_late_from_a_lost_probe_changes_nothing"),
    ("record", "if is[1] or is[4] then\n", "if is[1] then\n", "sending_stops.a_success_in_between_begins_the_row_anew"),
    ("record", "'probe', 'tries', 'failures')\n  end", "'probe', 'failures')\n  end",
     "sending_stops.it_stops_for_longer_each_time_the_probe_fails_up_to_a_bound"),
    ("record", "if ARGV[4] == '0' then return end", "", "sending_stops.a_breaker_that_is_off_does_not_stop_anything"),
    ("record", "went == 'failing' and not is[1]", "not is[1]",
     "sending_stops.refused_keys_stop_everybody_at_once"),
    ("record", "failures < tonumber(ARGV[4])", "failures <= tonumber(ARGV[4])",
     "sending_stops.failures_in_a_row_stop_everybody"),
    ("record", "failures < tonumber(ARGV[4])", "false", "sending_stops.failures_in_a_row_stop_everybody"),
    ("record", " and asked <= 0 then return", " then return",
     "sending_stops.a_server_that_asks_for_time_gets_it_from_everybody_within_bounds",
     {"asked_ms": 300_000, "stops_for_ms": 300_000}),
    ("record", "went == 'refused' and 0 or ", "", "sending_stops.one_is_tried_each_minute_until_the_keys_work"),
    ("record", "math.min(math.max(pause, asked), tonumber(ARGV[6]))", "math.max(pause, asked)",
     "sending_stops.a_server_that_asks_for_time_gets_it_from_everybody_within_bounds",
     {"asked_ms": 3_600_000, "stops_for_ms": 960_000}),
    ("record", "'probe', '', 'retry_at'", "'retry_at'",
     "sending_stops.to_resume_is_to_try_at_once_what_has_stopped_by_itself"),
]  # fmt: skip

PAUSE: list[Mutant] = [
    ("", "if has[1] and not (ends and ends <= now) then return 'paused'", "if has[1] then return 'paused'",
     "sending_stops.a_pause_with_a_duration_ends_by_itself"),
    ("set_pause", "redis.call('HDEL', key, 'paused', 'until', 'reason')", "text(0)",
     "sending_stops.while_it_is_paused_nothing_is_dispatched_and_nothing_passes_the_gate"),
    ("set_pause", "'paused', 'until', 'reason'", "'paused', 'reason'",
     "sending_stops.a_later_pause_replaces_the_earlier_one"),
    ("set_pause", "stopped[1] and stopped[2] == ''", "stopped[1]",
     "sending_stops.nobody_else_ends_a_probe_that_is_under_way"),
    ("set_pause", "redis.call('HSET', key, 'retry_at', text(now))", "text(0)",
     "sending_stops.to_resume_is_to_try_at_once_what_has_stopped_by_itself"),
    ("set_pause", "redis.call('HSET', key, 'until', ends)", "text(0)",
     "sending_stops.a_pause_with_a_duration_ends_by_itself"),
]  # fmt: skip

SILENCE: list[Mutant] = [
    ("silence", "ARGV[1] ~= '0' and ", "", "max_silence.without_the_setting_nobody_looks"),
    ("silence", "now - ARGV[2] > tonumber(ARGV[1])", "false",
     "max_silence.nobody_is_claimed_while_the_whole_shop_is_silent", {"minutes_ago": 11, "outreaches": 0}),
    ("silence", "held and 0 or 1", "1", "max_silence.each_change_is_one_line_in_the_log"),
    ("silence", "redis.call('HDEL', KEYS[1], 'silent')", "text(0)", "max_silence.each_change_is_one_line_in_the_log"),
    ("silence", "if tonumber(ARGV[2]) > tonumber(held) then", "if true then",
     "max_silence.who_switches_it_off_says_that_this_silence_is_real"),
    ("silence", "redis.call('HSET', KEYS[1], 'reopened', text(now))", "text(0)",
     "max_silence.when_events_come_again_silence_is_measured_from_then"),
]  # fmt: skip

PLACES: list[Mutant] = [
    ("postpone", "ARGV[3] == '' and tonumber(was) or", "ARGV[3] == '' and now or",
     "limited_dispatch.what_is_in_hand_goes_back_to_its_place_before_the_fence"),
]  # fmt: skip

CONTROL = [*PERMITS, *GATE, *REFUND, *RECORD, *PAUSE, *SILENCE, *PLACES]
