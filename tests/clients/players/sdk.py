"""Plays shoppers with an SDK for Python. Reads a plan in JSON on its input; see tests/clients/programs.py."""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine

plan = json.load(sys.stdin)
if plan["clock_s"]:
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=plan["clock_s"]), tick=True).start()
clients: list[Any] = []
errors: list[list[str]] = []


def set_up(code: str) -> None:
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - the lines of the guide
    analytics, problems = found["analytics"], list[str]()
    clients.append(analytics)
    errors.append(problems)
    for part in (analytics, *analytics.consumers):
        part.on_error = lambda problem, _items: problems.append(str(problem))


for one in plan["codes"]:
    set_up(one)
began_s = time.monotonic()
for step in plan["steps"]:
    time.sleep(max(0.0, began_s + step["at_s"] - time.monotonic()))
    client = clients[step["client"]]
    who = {"anonymous_id": step["visitor"], "context": {"locale": "es-CO"}}
    match step["call"]:
        case "identify":
            client.identify(traits=step["traits"], **who)
        case "page":
            client.page(name=step["name"], **who)
        case "track":
            client.track(event=step["name"], properties=step["properties"], **who)
for client in clients:
    client.shutdown()
json.dump({"errors": errors}, sys.stdout)
