"""The thresholds for which the scripts count silences. `thresholds.grid` has the same; a test compares them."""

_MINUTES = (
    *(2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 30, 35, 40, 45, 50, 60, 75, 90, 105, 120),
    *(150, 180, 240, 300, 360),
)
GRID_MS = tuple(minutes * 60_000 for minutes in _MINUTES)
"""Ascending."""
