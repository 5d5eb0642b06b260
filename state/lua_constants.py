"""Constants that the Lua scripts share with Python. The include `constants` is generated from them."""

from collections.abc import Mapping, Sequence

from state.keys import DAY_MS, OUTREACH_TTL_MS, SESSION_TTL_MS, SILENCES_TTL_MS, STATS_TTL_MS
from state.session_record import ANSWERS, MARK, RANK_WIDTH, STAMP_WIDTH
from state.silence_grid import GRID_MS

Constant = int | str | Sequence[str] | Sequence[int]
CLOCKS_DIFFER_MS = 1000
"""Smaller corrections of the clock aren't detected: it soon catches up."""
MOST_OUTCOMES = 4000
CONSTANTS: Mapping[str, Constant] = {
    "HOUR": DAY_MS // 24,
    "DAY": DAY_MS,
    "SESSION_TTL": SESSION_TTL_MS,
    "OUTREACH_TTL": OUTREACH_TTL_MS,
    "STATS_TTL": STATS_TTL_MS,
    "SILENCES_TTL": SILENCES_TTL_MS,
    # The thresholds that `winback tune` compares, the shortest of them, and how many ranks a stage has.
    "GRID": GRID_MS,
    "SHORTEST_SILENCE": GRID_MS[0],
    "PLATFORMS": 3,
    "DIGITS": "0123456789abcdefghijklmnopqrstuvwxyz",
    "CLOCKS_DIFFER": CLOCKS_DIFFER_MS,
    # How far clocks of shoppers and the server can be ahead, and the expiry of a voucher.
    "AHEAD": 2 * 60_000,
    "FURTHEST": 31 * DAY_MS,
    # Outcomes of a partition that the relay hasn't moved to the feed. 64 partitions of them need about 60 MB.
    "MOST_OUTCOMES": MOST_OUTCOMES,
    "RANK_WIDTH": RANK_WIDTH,
    "STAMP_WIDTH": STAMP_WIDTH,
    "MARK": MARK,
    "ANSWERS": ANSWERS,
    "ANSWER_DIGITS": 15,
    "CHANNELS": ("call", "whatsapp"),
    "LINKED": "linked.",
}
"""Times are in ms."""


def lua_of(names: Sequence[str]) -> str:
    """Return the Lua declaration of these constants; empty for none."""
    if not names:
        return ""
    return f"local {', '.join(names)} = {', '.join(_literal(CONSTANTS[name]) for name in names)}"


def _literal(value: Constant) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return f"'{value}'"
    return "{" + ", ".join(map(_literal, value)) + "}"
