"""Events as a careless shop writes them."""

import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from tests.support.mangling import ANA, new_state

STATE = new_state()
FEW = settings(max_examples=40, deadline=None)
SAID_YES = {**ANA, "consent": {"call": True, "whatsapp": True}}


def one_of(values: list[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


@st.composite
def written(draw: st.DrawFn, events: st.SearchStrategy[dict[str, Any]]) -> bytes:
    """The bytes of an event: plain, wrapped or encoded more than once."""
    made = draw(events)
    way = draw(one_of(["plain", "plain", "twice", "thrice", "list", "data", "sns", "bom", "utf-16", "ascii", "comma"]))
    text = json.dumps(made, ensure_ascii=way == "ascii")
    match way:
        case "twice":
            text = json.dumps(text)
        case "thrice":
            text = json.dumps(json.dumps(text))
        case "list":
            text = f"[{text}]"
        case "data":
            text = json.dumps({"id": "evt_1", "data": {"object": made}})
        case "sns":
            text = json.dumps({"Type": "Notification", "Message": text})
        case "bom":
            text = f"\ufeff{text}"
        case "comma":
            text = text[:-1] + ",}"
    return text.encode("utf-16" if way == "utf-16" else "utf-8", errors="replace")
