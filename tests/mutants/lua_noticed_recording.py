"""The tests that notice when a guard of the recording is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed

NOTICED_RECORDING: dict[str, list[Noticed]] = {
    "recording": [
        ("acknowledge_copies", "acknowledged_entries_are_copied"),
        ("copy_until", "no_copies_are_made_after_the_recorder_is_away"),
        ("copy_ahead", "request_far_ahead_of_the_clock_is_over"),
        ("copy_limit", "full_stream_takes_no_more_and_counts_the_loss"),
        ("copy_bytes", "large_events_take_no_more_and_count_the_loss"),
        ("copy_bytes_again", "large_events_are_copied_again_after_copies_expired"),
        ("copy_over", "day_without_a_recorder_ends_the_recording"),
        ("copy_refused", "copies_that_are_refused_do_not_stop_ingest"),
        ("copy_expires", "acknowledged_entries_are_copied"),
        ("copy_counts", "expired_copies_are_counted_as_lost"),
        ("copy_lost", "full_stream_takes_no_more_and_counts_the_loss"),
        ("sign_asks", "acknowledged_entries_are_copied"),
        ("recorded_removes", "removed_copies_are_recorded"),
        ("recorded_counts", "removed_copies_are_recorded"),
        ("recorded_bytes", "large_events_are_copied_again_after_removal"),
        ("report_lost_at", "reports_add_up_and_expire"),
        ("report_lost_first", "losses_before_the_first_report_have_no_time"),
        ("report_adds_up", "reports_add_up_and_expire"),
        ("report_ttl", "reports_add_up_and_expire"),
    ],
}
