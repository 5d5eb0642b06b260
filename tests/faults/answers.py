"""Plans for the API of the faults, and irregular answers."""

import gzip
from collections.abc import Callable
from random import Random

from tests.faults.ledger import ACCEPT, Answer, Plan, in_turn, refuse
from tests.support.faulty_server import http
from tests.support.wire import Behaviour, Wire

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: "
GIGABYTE = 2**30
BOMB = gzip.compress(bytes(32 * 2**20))
BREAKS_AFTER = 5


def bursts(random: Random) -> Plan:
    """Errors in bursts, with normal answers in between."""
    answers = [refuse(500), refuse(503), ACCEPT]
    drawn = [random.choices(answers, (4, 2, 4))[0] for _ in range(40)]
    return in_turn(*[refuse(500)] * (2 * BREAKS_AFTER), *drawn, ACCEPT)


def either(name: str, act: Behaviour) -> Callable[[Random], Plan]:
    """The same irregular answer to some requests, with or without a contact; all others are accepted."""

    def plan(random: Random) -> Plan:
        answers = [Answer(f"{name}, contacted", contact=True, act=act), Answer(name, contact=False, act=act), ACCEPT]
        return in_turn(*random.choices(answers, (2, 2, 6), k=40), ACCEPT)

    return plan


def conflicts(random: Random) -> Plan:
    """Each request is first refused as already in flight, and accepted the next time."""
    body = b'{"code":"REQUEST_IN_PROCESS","messages":[]}'
    return in_turn(*(refuse(random.choice((409, 400)), body) for _ in range(6)), ACCEPT)


def not_carried_out(random: Random) -> Plan:
    """Each request is refused once or more as not carried out, and accepted afterwards."""
    statuses = [random.choice((408, 421, 423, 425)) for _ in range(16)]
    return in_turn(*(refuse(status) for status in statuses), ACCEPT)


def drip_head(wire: Wire) -> None:
    wire.drip(b"HTTP/1.1 200 OK\r\n" + b"x-slow: yes\r\n" * 100)


def drip_body(wire: Wire) -> None:
    wire.send(HEAD + b"1000\r\n\r\n")
    wire.drip(b"x" * 1000)


def flood(wire: Wire) -> None:
    wire.send(HEAD + str(GIGABYTE).encode() + b"\r\n\r\n")
    for _ in range(GIGABYTE // 2**20):
        wire.send(b"x" * 2**20)


def bomb(wire: Wire) -> None:
    """A gzip stream that unpacks to a thousand times its size, although it wasn't requested."""
    wire.send(http(200, BOMB, content_encoding="gzip"))


def odd(name: str, act: Behaviour) -> Callable[[Random], Plan]:
    """A third of the answers are irregular; all requests are accepted."""

    def plan(random: Random) -> Plan:
        drawn = [Answer(name, contact=True, act=act) if random.random() < 0.3 else ACCEPT for _ in range(40)]
        return in_turn(*drawn, ACCEPT)

    return plan


def says(body: bytes, **headers: str) -> Behaviour:
    return lambda wire: wire.send(http(200, body, **headers))
