"""The tests that notice when a guard of the counters of silences is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed
from tests.support.events import JANE

_OUT_OF_REACH = "shopper_out_of_reach_or_without_cart_does_not_count"
_SENT = {"result": "sent"}

NOTICED_SILENCES: dict[str, list[Noticed]] = {
    "silence_counters": [
        ("silences_ttl", "claim_counts_noted_silences_once"),
        ("silences_horizons", "horizon_that_is_added_later_counts_from_the_next_day"),
        ("silence_named", _OUT_OF_REACH, {"more": {"customer": JANE | {"full_name": None}}, "needs_cart": False}),
        ("silence_reachable", "shopper_whose_number_is_cleared_does_not_count"),
        ("silence_emptied", _OUT_OF_REACH, {"more": {"cart": {"items": []}}, "needs_cart": False}),
        ("silence_needs_cart", _OUT_OF_REACH, {"more": {}, "needs_cart": True}),
        ("noted_longer", "later_silence_counts_from_where_the_longest_ended"),
        ("noted_kind", "silence_after_a_declined_payment_does_not_count"),
        ("noted_counted", _OUT_OF_REACH, {"more": {"cart": {"items": []}}, "needs_cart": False}),
        ("noted_used_by_other", "claim_leaves_nothing_for_other_stages"),
        ("noted_bound", "many_noted_silences_are_counted_before_a_claim"),
        ("noted_once", "claim_counts_noted_silences_once"),
        ("plain_silence", "later_silence_counts_from_where_the_longest_ended"),
        ("move_silence", "silence_after_an_exit_counts"),
        ("move_orders", "order_counts_for_the_silences_before_it_once"),
        ("order_once", "order_counts_for_the_silences_before_it_once"),
        ("order_after", "order_from_before_a_silence_does_not_count"),
        ("kept_bound", "eight_silences_are_kept_for_orders"),
        ("claim_silence", "claimed_silence_counts_until_the_return"),
        ("claim_counts_noted", "session_that_ends_without_an_outreach_counts_noted_silences"),
        ("close_counts_silences", "session_that_ends_without_an_outreach_counts_noted_silences"),
        ("claimed_kind", "claim_after_a_declined_payment_leaves_later_silences"),
        ("claimed_counted", "claim_without_the_cart_it_needs_leaves_later_silences"),
        ("claimed_used_by_other", "claim_leaves_nothing_for_other_stages"),
        ("claimed_uses", "claim_leaves_nothing_for_other_stages"),
        ("ended_kind", "claim_after_a_declined_payment_leaves_later_silences"),
        ("ended_counted", "claim_without_the_cart_it_needs_leaves_later_silences"),
    ],
    "silence_contacts": [
        ("contacted_ttl", "contact_alone_on_its_day_expires", _SENT),
        ("move_short_silence", "return_within_two_minutes_ends_a_claimed_silence"),
        ("ended_other", "record_of_another_silence_is_ignored"),
        ("noted_out", "contact_counts_separately_and_ends_counting", _SENT),
        ("claimed_out", "contact_without_a_counted_silence_ends_counting"),
        ("ended_in_flight", "return_during_a_request_takes_the_silence_out"),
        ("ended_once", "contact_counts_separately_and_ends_counting", _SENT),
        ("finish_notes_contact", "contact_counts_separately_and_ends_counting", _SENT),
        ("contacted_once", "contact_counts_separately_and_ends_counting", {"result": "unknown"}),
        ("contacted_orders", "contact_drops_silences_kept_for_orders", {"result": "holdout", "is_kept": True}),
    ],
}
