"""The scripts count for the thresholds and stages that the method compares."""

from detectors.flow import PLATFORMS
from detectors.session_fields import REQUIRED
from state.lua_constants import CONSTANTS
from state.silence_grid import GRID_MS
from thresholds.grid import GRID, SIZE


def test_scripts_have_the_grid_of_the_method() -> None:
    assert GRID_MS == GRID
    assert len(str(CONSTANTS["DIGITS"])) > SIZE


def test_scripts_have_the_platforms_and_fields_of_detection() -> None:
    assert CONSTANTS["PLATFORMS"] == len(PLATFORMS)
    assert set(REQUIRED) == {"phone", "name"}  # is_counted.lua
