"""The tests that notice when a guard of the collectors' scripts is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed

NOTICED_COLLECTORS: dict[str, list[Noticed]] = {
    "collectors": [
        ("collector_ahead", "report_from_the_future_counts_as_now"),
        ("collector_forgets", "collector_is_forgotten_after_a_week"),
        ("collector_ttl", "reports_have_a_time_to_live"),
    ],
    "visitor_orders": [
        ("visitor_paid", "event_before_the_payment_belongs_to_its_session"),
        ("visitor_paid_newest", "older_order_of_another_session_does_not_move_the_last"),
        ("visitor_uses_cart", "cart_whose_id_never_changes_begins_again"),
        ("visitor_over", "page_of_a_paid_order_leaves_the_next_cart"),
        ("visitor_over_later", "checkout_after_its_payment_takes_the_visit_along"),
        ("visitor_order", "profile_after_the_payment_waits_for_the_next_session"),
        ("visitor_order_named", "order_with_a_name_ends_two_sessions"),
        ("order_newest", "repeated_payment_changes_nothing"),
        ("order_before_use", "cart_whose_id_never_changes_begins_again"),
        ("use_after_order", "use_of_a_cart_before_its_order_is_none_after_it"),
    ],
    "privacy_requests": [
        ("request_once", "request_is_kept_once"),
        ("request_remembered", "request_is_kept_once"),
        ("request_due_ahead", "clock_that_is_put_back_delays_no_erasure"),
        ("request_leased", "leased_erasure_is_leased_again_after_its_lease"),
        ("request_postponed", "unknown_request_is_not_finished"),
        ("request_ahead", "request_from_the_future_was_received_now"),
        ("request_noted", "unknown_request_is_not_finished"),
        ("request_recovers", "erasure_that_succeeds_no_longer_fails"),
        ("request_failed_since", "failed_erasure_runs_later_and_is_listed"),
    ],
    "visitor_records": [
        ("waiting_kept", "event_without_data_prolongs_the_set_with_the_record"),
        ("waiting_removed", "given_data_waits_until_a_later_event"),
        ("waiting_given", "given_data_stays_in_the_set_with_each_event"),
        ("waiting_expired", "expired_visitors_leave_the_set"),
        ("waiting_ttl", "set_has_a_time_to_live"),
    ],
    "deliveries": [
        ("delivery_pause", "refusals_after_a_pause_count_from_one"),
        ("delivery_forgets", "source_is_forgotten_after_thirty_days"),
        ("delivery_ttl", "deliveries_have_a_time_to_live"),
    ],
}
