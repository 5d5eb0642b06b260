"""The limit of time for bodies: a slow client gets an answer, and others notice nothing."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message

from worker.collector.answers import RefusedError
from worker.collector.bodies import TOO_SLOW, read_body
from worker.collector.time_limit import TimeLimit

SHORT_S = 0.02


async def never() -> None:
    await asyncio.get_running_loop().create_future()


async def answer() -> str:
    await asyncio.sleep(0)
    return "answer"


def test_late_ones_end_and_others_are_answered() -> None:
    async def played() -> list[Any]:
        limit = TimeLimit(SHORT_S)
        acts = (never(), answer(), never(), answer())
        found: list[Any] = await asyncio.gather(*map(limit.within, acts), return_exceptions=True)
        return [*found, await limit.within(answer())]

    late, first, later, second, after = asyncio.run(played())
    assert (type(late), type(later)) == (TimeoutError, TimeoutError)
    assert (first, second, after) == ("answer", "answer", "answer")


def test_one_that_begins_later_has_its_whole_time() -> None:
    async def played() -> float:
        limit, loop = TimeLimit(SHORT_S), asyncio.get_running_loop()
        first = asyncio.create_task(limit.within(never()))
        await asyncio.sleep(SHORT_S / 2)
        began_s = loop.time()
        with pytest.raises(TimeoutError):
            await limit.within(never())
        with pytest.raises(TimeoutError):
            await first
        return loop.time() - began_s

    assert asyncio.run(played()) >= SHORT_S


def test_task_that_is_cancelled_stays_cancelled() -> None:
    async def played() -> bool:
        task = asyncio.create_task(TimeLimit(60).within(never()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task.cancelled()

    assert asyncio.run(played())


@pytest.mark.parametrize("arrived", [[], [b'{"type": ']])
def test_body_that_does_not_arrive_is_refused(arrived: list[bytes]) -> None:
    pieces = iter(arrived)

    async def receive() -> Message:
        for piece in pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        await never()
        return {}

    taken: list[int] = []
    with pytest.raises(RefusedError) as raised:
        asyncio.run(read_body(receive, {}, 1000, taken.append, TimeLimit(SHORT_S)))
    assert raised.value.refusal == TOO_SLOW
    assert taken == [len(piece) for piece in arrived]
