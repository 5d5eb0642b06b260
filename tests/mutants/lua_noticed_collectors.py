"""The tests that notice when a guard of the collectors' script is missing; see lua_noticed.py."""

from tests.mutants.lua_noticed import Noticed

NOTICED_COLLECTORS: dict[str, list[Noticed]] = {
    "collectors": [
        ("collector_ahead", "report_from_the_future_counts_as_now"),
        ("collector_forgets", "collector_is_forgotten_after_a_week"),
        ("collector_ttl", "reports_have_a_time_to_live"),
    ],
}
