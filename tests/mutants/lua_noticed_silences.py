"""The tests that notice when a guard of the counters of silences is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed
from tests.support.events import JANE

_OUT_OF_REACH = "shopper_out_of_reach_or_without_cart_does_not_count"
_NO_PHONE = {"more": {"customer": {"full_name": "Jane Doe"}}, "needs_cart": False}

NOTICED_SILENCES: dict[str, list[Noticed]] = {
    "silence_counters": [
        ("silences_ttl", "return_counts_for_the_thresholds_it_outlasted"),
        ("silences_horizons", "horizon_that_is_added_later_counts_from_the_next_day"),
        ("silence_reachable", _OUT_OF_REACH, _NO_PHONE),
        ("silence_emptied", _OUT_OF_REACH, {"more": {"customer": JANE, "cart": {"items": []}}, "needs_cart": False}),
        ("silence_needs_cart", _OUT_OF_REACH, {"more": {}, "needs_cart": True}),
        ("ended_ineligible", _OUT_OF_REACH, _NO_PHONE),
        ("plain_silence", "second_silence_counts_from_where_the_first_ended"),
        ("move_silence", "silence_after_an_exit_counts"),
        ("move_orders", "order_counts_for_the_silences_before_it_once"),
        ("order_once", "order_counts_for_the_silences_before_it_once"),
        ("order_after", "order_from_before_a_silence_does_not_count"),
        ("kept_bound", "eight_silences_are_kept_for_orders"),
        ("claim_silence", "claimed_silence_counts_until_the_return"),
        ("silence_out", "contact_without_a_counted_silence_ends_counting"),
        ("silence_used_by_other", "claim_leaves_nothing_for_other_stages"),
        ("silence_uses", "claim_leaves_nothing_for_other_stages"),
        ("ended_used_by_other", "claim_leaves_nothing_for_other_stages"),
        ("ended_blocked", "silence_claimed_before_counting_began_does_not_count"),
        ("ended_kind", "silence_after_a_declined_payment_does_not_count"),
        ("ended_other", "record_of_another_silence_is_ignored"),
        ("ended_in_flight", "return_during_a_request_takes_the_silence_out"),
        ("ended_once", "contact_counts_separately_and_ends_counting", {"result": "sent"}),
        ("finish_notes_contact", "contact_counts_separately_and_ends_counting", {"result": "sent"}),
        ("contacted_once", "contact_counts_separately_and_ends_counting", {"result": "unknown"}),
        ("contacted_orders", "contact_drops_silences_kept_for_orders", {"result": "holdout", "is_kept": True}),
    ],
}
