"""The two shells, spoken to in the same way: each test runs through both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx

from opeai_nb.client import AsyncClient, Client

KEY = "sk-T3stKeyOfOurOwn-0123456789abcdef"
URL = "https://platform.test"


class Shell:
    """One client over a transport, with a clock that only its own sleeps move."""

    def __init__(self, kind: str, transport: Any = None, **options: Any) -> None:
        self.kind = kind
        self.now = 1000.0
        self.pauses: list[float] = []
        options = {"api_key": KEY, "base_url": URL, "transport": transport, **options}
        if kind == "sync":
            self.client: Any = Client(sleep=self._pause, clock=lambda: self.now, **options)
        else:
            if resolve := options.get("resolve"):
                options["resolve"] = _later(resolve)
            self.runner = asyncio.Runner()
            self.client = AsyncClient(sleep=_later(self._pause), clock=lambda: self.now, **options)

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            answer = getattr(self.client, verb)(*args, **kwargs)
            return answer if self.kind == "sync" else self.runner.run(answer)

        return call

    def shut(self) -> None:
        if self.kind == "sync":
            self.client.close()
        else:
            self.runner.run(self.client.aclose())
            self.runner.close()

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class _Drops(httpx.SyncByteStream, httpx.AsyncByteStream):
    def __init__(self, shell: Shell, content: bytes | None, seconds: float) -> None:
        self._shell = shell
        self._content = b" " * 10_000 if content is None else content
        self._seconds = seconds

    def __iter__(self) -> Iterator[bytes]:
        for byte in self._content:
            self._shell.now += self._seconds
            yield bytes([byte])

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for drop in self:
            yield drop


def dripping(shell: Shell, content: bytes | None = None, *, seconds: float) -> httpx.Response:
    """Return an answer of which one byte comes each so many *seconds* of the shell's clock."""
    return httpx.Response(200, stream=_Drops(shell, content, seconds))


def _later(function: Any) -> Any:
    async def call(*args: Any) -> Any:
        return function(*args)

    return call
