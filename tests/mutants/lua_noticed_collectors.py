"""The tests that notice when a guard of the collectors' scripts is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed

NOTICED_COLLECTORS: dict[str, list[Noticed]] = {
    "collectors": [
        ("collector_ahead", "report_from_the_future_counts_as_now"),
        ("collector_forgets", "collector_is_forgotten_after_a_week"),
        ("collector_ttl", "reports_have_a_time_to_live"),
    ],
    "deliveries": [
        ("delivery_pause", "refusals_after_a_pause_count_from_one"),
        ("delivery_forgets", "source_is_forgotten_after_thirty_days"),
        ("delivery_ttl", "deliveries_have_a_time_to_live"),
    ],
}
