"""Random messages in AMQP form."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import amqp  # type: ignore[import-untyped]
from hypothesis import strategies as st

from tests.support.hostile import bodies, content_types, encodings, headers

OF_AMQP = st.sampled_from([datetime(9999, 12, 31, tzinfo=UTC), Decimal("1.5"), b"\xff", {"a": {"b": [None]}}, 2**62])
NAMES = st.sampled_from(["task", "id", "timelimit", "expires", "eta", "compression", "retries"])


def publish(url: str, queue: str, message: Any) -> None:  # noqa: ANN401 - of amqp
    """Publish and wait for the confirmation. RabbitMQ closes the connection if it can't store the message."""
    port = url.rpartition(":")[2].partition("/")[0]
    with amqp.Connection(f"127.0.0.1:{port}", confirm_publish=True) as connection:
        connection.channel().basic_publish(message, exchange=queue, routing_key=queue)


@st.composite
def amqp_messages(draw: st.DrawFn) -> Any:  # noqa: ANN401 - of amqp
    """Draw a message with any properties that AMQP can express."""
    head = _sayable(draw(headers))
    if draw(st.booleans()):
        head[draw(NAMES)] = draw(OF_AMQP)
    properties = {"content_type": draw(content_types), "content_encoding": draw(encodings), "application_headers": head}
    if draw(st.booleans()):
        properties[draw(st.sampled_from(["content_type", "correlation_id", "reply_to", "message_id"]))] = b"\xff\xfe"
    return amqp.basic_message.Message(draw(bodies), **properties)


def _sayable(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a copy without names that are too long for AMQP."""
    if isinstance(value, dict):
        return {name[:60]: _sayable(inner) for name, inner in value.items()}
    return [_sayable(inner) for inner in value] if isinstance(value, list) else value
