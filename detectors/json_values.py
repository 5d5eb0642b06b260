"""Types of JSON whose shape is only known to those who read it: the one place where a value can be anything."""

from typing import Any

JsonValue = Any
"""Any JSON value, as `json.loads` returns it."""
JsonObject = dict[str, Any]
"""A JSON object."""
