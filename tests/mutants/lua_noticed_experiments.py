"""The tests that notice when a guard of the experiments' scripts is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed
from tests.support.states import WINDOW_MS

NOTICED_EXPERIMENTS: dict[str, list[Noticed]] = {
    "experiments": [
        ("join_barred", "person_erased_after_the_take_is_not_joined"),
        ("join_first", "person_counts_for_the_first_outreach"),
        ("join_ttl", "joining_is_remembered_for_half_a_year"),
        ("join_own", "person_counts_for_the_first_outreach"),
        ("assign_leased", "lost_outreach_is_not_assigned"),
        ("assign_ours", "lost_outreach_is_not_assigned"),
        ("assign_once", "arm_is_assigned_once"),
        ("assign_counts", "person_counts_for_the_first_outreach"),
        ("assign_time", "arm_is_assigned_once"),
        (
            "credit_arm_after",
            "order_counts_from_the_assignment_to_the_end_of_the_window",
            {"at_ms": -1, "counts": False},
        ),
        (
            "credit_arm_window",
            "order_counts_from_the_assignment_to_the_end_of_the_window",
            {"at_ms": WINDOW_MS + 1, "counts": False},
        ),
        ("credit_arm_better", "better_known_order_replaces_another_and_repeats_change_nothing"),
        ("credit_arm_replaces", "better_known_order_replaces_another_and_repeats_change_nothing"),
        ("credit_arm_noted", "better_known_order_replaces_another_and_repeats_change_nothing"),
    ],
}
