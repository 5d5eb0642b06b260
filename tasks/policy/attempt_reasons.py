"""Why an attempt didn't deliver its request: the meaning of each status and error in an outreach's history."""

from typing import Final

_MIGHT = "the request might have arrived"
_NOT_SENT = "the request wasn't sent"

ATTEMPTS: Final[dict[str, str]] = {
    "connect_error": f"no connection to delivery.endpoint: refused, no such host, or a failure of TLS; {_NOT_SENT}",
    "connect_timeout": f"delivery.endpoint didn't accept a connection in time; {_NOT_SENT}",
    "pool_timeout": f"all connections of the worker were in use; {_NOT_SENT}",
    "unsupported_protocol": f"delivery.endpoint begins with neither http:// nor https://; {_NOT_SENT}",
    "forbidden_address": f"delivery.endpoint leads to a private address (delivery.allow_private_endpoint); {_NOT_SENT}",
    "too_late": f"the time for the attempt ran out before the request; {_NOT_SENT}",
    "closed_unread": "the connection was closed before the request was read",
    "write_timeout": "the request couldn't be written in time",
    "write_error": "the connection broke while the request was written",
    "read_timeout": f"no reply came within delivery.timeout; {_MIGHT}",
    "close_error": "the connection broke when it was closed",
    "read_error": f"the connection broke before the reply; {_MIGHT}",
    "remote_protocol_error": f"the connection ended before the reply, or the reply wasn't HTTP; {_MIGHT}",
    "local_protocol_error": "the request couldn't be written as HTTP",
    "http_401": "Yuno's API refused the keys (delivery.public_api_key and private_secret_key); sending stops",
    "http_403": "Yuno's API refused the keys (delivery.public_api_key and private_secret_key); sending stops",
    "http_408": "Yuno's API didn't receive the request in time; it is repeated",
    "http_409": "Yuno's API is still processing an earlier request with the same key",
    "http_423": "Yuno's API is still processing an earlier request with the same key",
    "http_425": "Yuno's API wasn't ready for the request; it is repeated",
    "http_429": "Yuno's API accepts no more requests for now; it is repeated",
    "http_500": "Yuno's API failed; the request is repeated",
    "http_502": f"a proxy got no valid reply from Yuno's API; {_MIGHT}",
    "http_503": "Yuno's API is unavailable for now; the request is repeated",
    "http_504": f"a proxy got no reply from Yuno's API in time; {_MIGHT}",
    "http_400.IDEMPOTENCY_DUPLICATED": f"Yuno's API had a request with the same key before; {_MIGHT}",
    "http_400.REQUEST_IN_PROCESS": "Yuno's API is still processing an earlier request with the same key",
    "http_400.reply_lost": f"the reply broke off; {_MIGHT}",
    "http_3*": "delivery.endpoint redirects, and redirects are never followed",
    "http_4*": "Yuno's API refused the request for good",
    "http_5*": f"Yuno's API failed; {_MIGHT}",
}
"""Reason → meaning. `http_4*` stands for all other statuses of that hundred, each with or without a code."""


def attempt_meaning(status: str) -> str:
    """Return the meaning of an attempt's status or error, as half a sentence; empty if it is unknown or a success."""
    plain = status.partition(".")[0]
    return ATTEMPTS.get(status) or ATTEMPTS.get(plain) or ATTEMPTS.get(f"{plain[:6]}*", "")
