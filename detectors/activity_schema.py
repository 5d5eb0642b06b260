"""The JSON Schema of an event."""

from detectors.activity import NAMES_PERSON, ActivityEvent
from detectors.json_values import JsonObject


def json_schema() -> JsonObject:
    """Return the JSON Schema (draft 2020-12) of one event."""
    schema = ActivityEvent.model_json_schema() | {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    text = {"type": "string"}
    person = {
        "anyOf": [
            {"required": [field], "properties": {field: {"type": "string", "pattern": r"\S"}}}
            for field in ("phone_number", "email")
        ]
    }
    names_session = {"required": ["session_id"], "properties": {"session_id": {"not": {"type": "null"}}}}
    names_person = {"required": ["customer"], "properties": {"customer": {"type": "object", **person}}}
    schema["allOf"] = [
        {
            "if": {"properties": {"type": {"const": "activity"}}},
            "then": {"required": ["flow_stage", "platform"], "properties": {"flow_stage": text, "platform": text}},
        },
        {
            "if": {"properties": {"type": {"enum": sorted(NAMES_PERSON)}}},
            "then": {"anyOf": [names_session, names_person]},
            "else": names_session,
        },
    ]
    return schema
