"""The script about visitors of sources without session ids."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Self

from state.script import Arguments, mapping, script, texts


class VisitorReply(NamedTuple):
    """Where an event of a visitor belongs."""

    session: str
    """Empty for none."""
    continues: str
    """The session that this one continues; empty for none."""
    place: str
    """Where in the flow the visitor was last; empty for nowhere."""
    customer: Mapping[str, str]
    """What waited for the session to begin: field → stamped value."""

    @classmethod
    def parse(cls, reply: Sequence[bytes]) -> Self:
        """Read the reply of visitor.lua."""
        session, continues, place = texts(reply[:3])
        return cls(session, continues, place, mapping(reply[3:]))


@script(VisitorReply.parse)
def visitor(
    *,
    visitor: str,
    user: str,
    occurred: int,
    is_order: str,
    name: str,
    begins: str,
    place: str,
    kept_ms: int,
    said: int,
    customer: Iterable[str],
    tags: Iterable[str],
) -> Arguments:
    """Find the session of a visitor. `customer`: field, stamped value, and so on, `said` words in all."""
    return visitor, user, occurred, is_order, name, begins, place, kept_ms, said, *customer, *tags
