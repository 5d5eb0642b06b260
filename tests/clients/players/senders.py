"""As senders.mjs, with the libraries for Python."""

import json
import sys
from datetime import UTC, datetime
from typing import Any

from cloudevents.v1.http import CloudEvent, to_binary, to_structured
from standardwebhooks import Webhook


def standard_sign(job: dict[str, Any]) -> str:
    signed: str = Webhook(job["secret"]).sign(job["id"], datetime.fromtimestamp(job["at_s"], UTC), job["body"])
    return signed


def cloud_event(job: dict[str, Any]) -> dict[str, Any]:
    write = {"binary": to_binary, "structured": to_structured}[job["mode"]]
    headers, body = write(CloudEvent(job["attributes"], job["data"]))
    return {"headers": dict(headers), "body": body.decode()}


DO = {"standard_sign": standard_sign, "cloud_event": cloud_event}
json.dump([DO[job["do"]](job) for job in json.load(sys.stdin)["jobs"]], sys.stdout)
