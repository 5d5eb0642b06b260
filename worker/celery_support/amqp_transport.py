"""py-amqp's reading of messages, without an end to the worker.

RabbitMQ hands on properties that py-amqp 5.4 can't decode: names that aren't UTF-8, times beyond the year 9999, tables
nested too deep. What it raises ends the worker, and the message comes back to end the next.
"""

from amqp import serialization  # type: ignore[import-untyped]
from amqp.spec import Basic  # type: ignore[import-untyped]

_decode = serialization.decode_properties_basic


def install() -> None:
    """Read a message whose properties can't be decoded as one without any: it is refused like every other."""
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = _decoded


def _decoded(buf: bytes, offset: int) -> tuple[dict[str, object], int]:
    try:
        found: tuple[dict[str, object], int] = _decode(buf, offset)
    except Exception:  # noqa: BLE001 - of reading what may be anything
        return {}, len(buf)
    return found
