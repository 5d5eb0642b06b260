import json
from datetime import timedelta
from zlib import compress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tasks.delivery.settings import DeliverySettings
from tasks.delivery.yuno import LARGEST_REPLY, Accepted, Rejected, Reply, TryAgain, Unauthorised, Undecided, retry_after
from tests.support.faulty_server import OK, FaultyServer, http, reply
from tests.support.yuno_requests import BODY, KEY, NOW, client_of, post


def error(status: int, code: object = None, messages: object = None, **headers: str) -> bytes:
    return http(status, json.dumps({"code": code, "messages": messages}).encode(), **headers)


BROKEN_OFF = b"content-length: 100\r\n\r\n{"


# The meaning of each reply.


UNTOUCHED = (403, 408, 421, 423, 425, 429, 500, 503)
"""Statuses of requests that weren't carried out, unless the code says otherwise."""
REPLIES: list[tuple[bytes, Reply]] = [
    (OK, Accepted(200)),
    (http(201, b"{}"), Accepted(201)),
    (http(202), Accepted(202)),
    (b"HTTP/1.1 204 No Content\r\n\r\n", Accepted(204)),
    (http(200, b"<html><body>It works</body></html>", content_type="text/html"), Accepted(200)),
    (http(200, b'{"broken'), Accepted(200)),
    (http(200, b"\xff\x00" * 500, content_encoding="gzip"), Accepted(200)),
    (http(200, compress(b"\0" * 50_000_000), content_encoding="deflate"), Accepted(200)),
    (b"HTTP/1.1 200 OK\r\n" + BROKEN_OFF, Accepted(200)),
    (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", Accepted(200)),
    (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Accepted(200)),
    (http(300), Rejected("http_300")),
    (http(304), Rejected("http_304")),
    (http(400), Rejected("http_400")),
    (http(400, b"<html>"), Rejected("http_400")),
    (
        error(400, "INVALID_REQUEST", ["phone_number: bad"]),
        Rejected("http_400.INVALID_REQUEST", ("phone_number: bad",)),
    ),
    (error(400, "REQUEST_IN_PROCESS"), TryAgain("http_400.REQUEST_IN_PROCESS", maybe_delivered=True)),
    (
        error(400, "REQUEST_IN_PROCESS", retry_after="3"),
        TryAgain("http_400.REQUEST_IN_PROCESS", timedelta(seconds=3), maybe_delivered=True),
    ),
    (error(400, "IDEMPOTENCY_DUPLICATED"), Undecided("http_400.IDEMPOTENCY_DUPLICATED")),
    (b"HTTP/1.1 400 Bad\r\n" + BROKEN_OFF, Undecided("http_400.reply_lost")),
    (error(401, "INVALID_CREDENTIALS"), Unauthorised("http_401.INVALID_CREDENTIALS")),
    (http(401), Unauthorised("http_401")),
    (error(403, "AUTHORIZATION_REQUIRED"), Unauthorised("http_403.AUTHORIZATION_REQUIRED")),
    (http(404), Rejected("http_404")),
    (http(405), Rejected("http_405")),
    (http(413), Rejected("http_413")),
    (http(422), Rejected("http_422")),
    (b"HTTP/1.1 422 Bad\r\n" + BROKEN_OFF, Rejected("http_422")),
    (http(408), TryAgain("http_408")),
    (http(408, retry_after="3"), TryAgain("http_408", timedelta(seconds=3))),
    (http(421), TryAgain("http_421")),
    (http(423), TryAgain("http_423", maybe_delivered=True)),
    (http(423, retry_after="9"), TryAgain("http_423", timedelta(seconds=9), maybe_delivered=True)),
    (http(425), TryAgain("http_425")),
    (http(424), Rejected("http_424")),
    (http(426), Rejected("http_426")),
    (http(409), TryAgain("http_409", maybe_delivered=True)),
    (error(409, "IDEMPOTENCY_DUPLICATED"), Undecided("http_409.IDEMPOTENCY_DUPLICATED")),
    *((error(n, "IDEMPOTENCY_DUPLICATED"), Undecided(f"http_{n}.IDEMPOTENCY_DUPLICATED")) for n in UNTOUCHED),
    *(
        (error(n, "REQUEST_IN_PROCESS"), TryAgain(f"http_{n}.REQUEST_IN_PROCESS", maybe_delivered=True))
        for n in UNTOUCHED
    ),
    (http(429), TryAgain("http_429")),
    (http(429, retry_after="120"), TryAgain("http_429", timedelta(minutes=2))),
    (http(429, retry_after="Tue, 13 May 2025 22:46:30 GMT"), TryAgain("http_429", timedelta(seconds=90))),
    (http(429, retry_after="soon"), TryAgain("http_429")),
    (http(429, retry_after="-5"), TryAgain("http_429")),
    (http(500), TryAgain("http_500")),
    (error(500, "INTERNAL_ERROR", retry_after="7"), TryAgain("http_500.INTERNAL_ERROR", timedelta(seconds=7))),
    (b"HTTP/1.1 500 Oops\r\n" + BROKEN_OFF, TryAgain("http_500")),
    (http(501), Undecided("http_501")),
    (http(502), Undecided("http_502")),
    (http(503, retry_after="1"), TryAgain("http_503", timedelta(seconds=1))),
    (http(504), Undecided("http_504")),
    (http(505), Undecided("http_505")),
    (http(599), Undecided("http_599")),
]


@pytest.mark.parametrize(("answer", "expected"), REPLIES, ids=[str(expected) for _, expected in REPLIES])
def test_each_reply_has_its_documented_outcome(answer: bytes, expected: Reply) -> None:
    with FaultyServer(reply(answer, times=1)) as server, client_of(server.url) as client:
        assert post(client) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with (
        FaultyServer(reply()) as elsewhere,
        FaultyServer(reply(http(status, location=elsewhere.url))) as server,
        client_of(server.url) as client,
    ):
        assert post(client) == Rejected(f"http_{status}")
        assert elsewhere.wires == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"code": 7, "messages": "no list"}', Rejected("http_400")),
        (b'["code"]', Rejected("http_400")),
        (b'{"code": "A B\\n+57 300", "messages": [1, null]}', Rejected("http_400.AB57300", ("1", "None"))),
        (b'{"code": "' + b"X" * 500 + b'"}', Rejected("http_400." + "X" * 64)),
        (b'{"messages": ["' + b"y" * 900 + b'"]}', Rejected("http_400", ("y" * 500,))),
        (json.dumps({"messages": list(range(50))}).encode(), Rejected("http_400", tuple("0123456789"))),
        (b"[" * 30_000, Rejected("http_400")),
        (b"1" * 10_000, Rejected("http_400")),
        (b"\xff\xfe", Rejected("http_400")),
        (b'{"code": "REQUEST_IN_PROCESS", "pad": "' + b"x" * LARGEST_REPLY + b'"}', Rejected("http_400")),
    ],
    ids=range(10),
)
def test_an_odd_error_document_does_no_harm(document: bytes, expected: Reply) -> None:
    with FaultyServer(reply(http(400, document))) as server, client_of(server.url) as client:
        assert post(client) == expected


# Retry-After, in the form of RFC 9110 and of real servers.


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0),
        ("120", 120),
        (" 5 ", 5),
        ("1000000000", 10**9),
        ("9" * 5000, 10**9),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("5, 10", None),
        ("", None),
        ("junk", None),
        ("٣", None),
        ("Tue, 13 May 2025 22:45:10 GMT", 10),
        ("Tue, 13 May 2025 22:45:10 -0000", 10),
        ("Tue, 13 May 2025 17:45:10 -0500", 10),
        ("Tuesday, 13-May-25 22:45:10 GMT", 10),
        ("Tue May 13 22:45:10 2025", 10),
        ("Tue, 13 May 2025 22:44:50 GMT", -10),
        ("Tue, 13 May 2025 22:45:10 +9999", None),
        ("Tue, 13 May 99999 22:45:10 GMT", None),
        ("2025-05-13T22:45:10Z", None),
    ],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == (None if seconds is None else timedelta(seconds=seconds))


@given(st.text(max_size=40) | st.text("0123456789 ,:+-GMTuesdayMay()", max_size=40))
def test_no_retry_after_makes_reading_it_fail(value: str) -> None:
    found = retry_after(value, NOW)
    assert found is None or isinstance(found, timedelta)


# The request.


def test_request_has_exactly_the_promised_headers_and_body() -> None:
    with FaultyServer(reply()) as server, client_of(server.url) as client:
        post(client)
        head, _, body = server.received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = [line.split(": ", 1) for line in lines]
    assert first == "POST /ai-caller-ms/recovery-payment/external HTTP/1.1"
    assert sorted([name.lower(), value] for name, value in headers) == [
        ["accept", "application/json"],
        ["accept-encoding", "identity"],
        ["connection", "keep-alive"],
        ["content-length", str(len(BODY.encode()))],
        ["content-type", "application/json"],
        ["host", f"localhost:{server.port}"],
        ["private-secret-key", "sk2"],
        ["public-api-key", "pk-1"],
        ["user-agent", "winback"],
        ["x-idempotency-key", KEY],
    ]
    assert body == BODY.encode()


def test_no_cookie_of_a_reply_goes_out_with_the_next_request() -> None:
    answer = http(200, set_cookie="tracked=yes; Path=/; Max-Age=3600")
    with FaultyServer(reply(answer)) as server, client_of(server.url) as client:
        assert [post(client), post(client)] == [Accepted(200), Accepted(200)]
        assert server.received.count(b"POST /") == 2
        assert b"tracked" not in server.received


@pytest.mark.parametrize("key", ["pk\x00", "clé", "pk\u200b1"])
def test_key_unfit_for_a_header_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        DeliverySettings.model_validate({"public_api_key": key})
    assert "no key has" in str(refused.value)
    assert key not in str(refused.value)
