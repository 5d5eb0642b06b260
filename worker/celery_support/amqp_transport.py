"""py-amqp's reading of messages, without ending the worker.

RabbitMQ delivers properties that py-amqp 5.4 can't decode: names that aren't UTF-8, times beyond the year 9999, tables
nested too deep. The resulting error ends the worker, and the redelivered message ends the next.
"""

from amqp import serialization  # type: ignore[import-untyped]
from amqp.spec import Basic  # type: ignore[import-untyped]

_decode = serialization.decode_properties_basic


def install() -> None:
    """Read a message with undecodable properties as one without any, so that it is refused like any other."""
    serialization.PROPERTY_CLASSES[Basic.CLASS_ID] = _decoded


def _decoded(buf: bytes, offset: int) -> tuple[dict[str, object], int]:
    try:
        found: tuple[dict[str, object], int] = _decode(buf, offset)
    except Exception:  # noqa: BLE001 - reading arbitrary data
        return {}, len(buf)
    return found
