"""The data of an event, as it is read."""

import json
from typing import Any

from detectors.activity import ActivityEvent
from detectors.parsing import Parsed, parse

ACTIVITY: dict[str, Any] = {"session_id": "s", "type": "activity", "flow_stage": "checkout", "platform": "web"}


def read(event: object) -> Parsed:
    return parse(event if isinstance(event, bytes) else json.dumps(event).encode())


def said(event: object) -> dict[str, Any]:
    parsed = read(event)
    assert parsed.event is not None
    return parsed.event.model_dump(exclude_unset=True)


def event_of(event: object) -> ActivityEvent:
    parsed = read(event)
    assert parsed.event is not None
    return parsed.event
