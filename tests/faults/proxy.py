"""A TCP proxy between two parts that can cut, delay, freeze and drop replies."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Self

Mode = Literal["pass", "refuse", "cut", "freeze", "drop_replies"]
_PIECE = 64 * 1024


class Proxy:
    """Forwards bytes to a port of this machine. Each mode applies to all connections, old and new.

    `refuse` closes them and the port. `cut` closes them, and new ones at once. `freeze` accepts connections and
    forwards nothing in either direction until it passes again. `drop_replies` forwards the clients' data and drops the
    server's answers for good: when it passes again, connections that lost a reply are closed.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay_s = 0.0
        """The delay of everything that is forwarded."""
        self.port = 0
        self._mode: Mode = "pass"
        self._passing = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._robbed: set[asyncio.StreamWriter] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set(self, mode: Mode) -> None:
        """Set the mode; it is in force when this returns."""
        self._call(self._set(mode))

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._passing.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _set(self, mode: Mode) -> None:
        if mode == "refuse":
            self._server.close()
        elif self._mode == "refuse":
            await self._listen()
        self._mode = mode
        if mode == "freeze":
            self._passing.clear()
        else:
            self._passing.set()
        for writer in list(self._writers if mode in {"cut", "refuse"} else self._robbed if mode == "pass" else ()):
            writer.transport.abort()
        self._robbed.clear()

    async def _end(self) -> None:
        self._server.close()
        self._passing.set()
        for writer in list(self._writers):
            writer.transport.abort()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode == "cut":
            writer.transport.abort()
            return
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, to_writer}
        self._writers |= pair
        there = asyncio.create_task(self._pass_on(reader, to_writer))
        back = asyncio.create_task(self._pass_on(to_reader, writer, replies=True))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            return  # the proxy ends
        finally:
            for task in (there, back):
                task.cancel()
            for one in pair:
                one.transport.abort()
            self._writers -= pair

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, replies: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_PIECE):
                await self._passing.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if replies and self._mode == "drop_replies":
                    self._robbed.add(writer)
                    continue
                writer.write(data)
                await writer.drain()
