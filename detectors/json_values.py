"""Types for JSON whose shape only its reader knows. Nothing else in the code is typed `Any`."""

from typing import Any

JsonValue = Any
"""Any JSON value, as `json.loads` returns it."""
JsonObject = dict[str, Any]
"""A JSON object."""
