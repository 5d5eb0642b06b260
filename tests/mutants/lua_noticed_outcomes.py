"""The tests that notice when a guard of the outcome feed is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed

NOTICED_OUTCOMES: dict[str, list[Noticed]] = {
    "outcome_feed": [
        ("finish_publishes", "policy_publishes_its_reason"),
        ("finish_recovered", "order_after_an_unknown_contact_counts_when_it_is_certain"),
        ("finish_recovered_sent", "unknown_contact_that_was_none_publishes_no_recovery"),
        ("credit_publishes", "order_after_a_contact_publishes_recovered_with_value"),
        ("credit_publishes_sent", "order_without_a_certain_contact_publishes_no_recovery", {"result": "unknown"}),
        ("publish_bound", "full_set_takes_no_more_and_counts_the_loss"),
        ("publish_lost", "full_set_takes_no_more_and_counts_the_loss"),
        ("publish_ascends", "places_ascend_also_if_the_clock_is_put_back"),
        ("moved_removes", "removal_reports_each_loss_once"),
        ("moved_lost_once", "removal_reports_each_loss_once"),
        ("feed_lost_adds", "report_adds_up_losses_and_expires"),
        ("feed_moved_at", "report_adds_up_losses_and_expires"),
        ("feed_ttl", "report_adds_up_losses_and_expires"),
        ("feed_missing", "reader_that_missed_removed_entries_is_found"),
        ("feed_missed", "reader_that_missed_removed_entries_is_found"),
        ("feed_lost_at", "report_adds_up_losses_and_expires"),
        ("feed_erased", "erased_entries_are_no_loss_for_a_reader"),
        ("erase_outcomes", "erased_outreach_leaves_its_outcome_without_session"),
        ("erase_earlier_outcomes", "outcome_of_an_expired_record_loses_its_session"),
    ],
    "webhooks": [
        ("turn_other", "one_sender_has_the_turn"),
        ("turn_own", "sender_renews_its_turn"),
        ("turn_ahead", "turn_from_the_future_is_over"),
        ("webhooks_add_up", "reports_add_up_and_expire"),
        ("webhooks_dropped_at", "reports_add_up_and_expire"),
        ("webhooks_succeed", "failure_keeps_its_beginning_until_a_success"),
        ("webhooks_fail_since", "failure_keeps_its_beginning_until_a_success"),
        ("webhooks_gone", "refusal_of_the_receiver_lasts_until_it_is_resumed"),
        ("webhooks_ttl", "reports_add_up_and_expire"),
    ],
}
