"""Plays shoppers with an SDK for Python. Reads a plan in JSON on its input; see tests/clients/programs.py."""

import json
import sys
import time
from typing import Any

plan = json.load(sys.stdin)
found: dict[str, Any] = {}
exec(plan["code"], found)  # noqa: S102 - the lines of the guide
analytics = found["analytics"]
gone: list[str] = []
analytics.on_error = lambda problem, _items: gone.append(str(problem))
for consumer in analytics.consumers or ():
    consumer.on_error = analytics.on_error

began_s = time.monotonic()
for step in plan["steps"]:
    time.sleep(max(0.0, began_s + step["at_s"] - time.monotonic()))
    who = {"anonymous_id": step["visitor"], "context": {"locale": "es-CO"}}
    match step["call"]:
        case "identify":
            analytics.identify(traits=step["traits"], **who)
        case "page":
            analytics.page(name=step["name"], **who)
        case "track":
            analytics.track(event=step["name"], properties=step["properties"], **who)
analytics.shutdown()
json.dump({"errors": gone}, sys.stdout)
