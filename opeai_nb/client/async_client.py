"""The asynchronous shell: it obeys flows over an httpx transport, and decides nothing."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any, Self

from opeai_nb.client.arguments import folder_at, interrupted, key_for, request_for, task_for, told
from opeai_nb.client.http import exchange
from opeai_nb.client.http.body_sink import Sink
from opeai_nb.client.http.connection_pool import AsyncWideTransport, tracing_departure
from opeai_nb.client.http.content_encoding import async_chunks, reader_for
from opeai_nb.client.http.limiter import Throttle, in_time
from opeai_nb.client.http.network.resolve import async_addresses_of
from opeai_nb.client.http.per_loop import PerLoop
from opeai_nb.client.protocol import flows
from opeai_nb.client.protocol.fetch_pictures import fetch
from opeai_nb.client.protocol.patience import Patience
from opeai_nb.client.protocol.steps import (
    Call,
    CutAnswer,
    Now,
    Resolve,
    Result,
    Returned,
    Sleep,
    Together,
    Unsent,
)
from opeai_nb.client.protocol.submit import submit
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.endpoint import SUBMIT_TIMEOUT, endpoint_at
from opeai_nb.client.wire.key import checked_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from pathlib import Path

    import httpx

    from opeai_nb.client.protocol.list_models import Model
    from opeai_nb.client.protocol.steps import Flow, Reply, Sending, Step
    from opeai_nb.client.values.finding import Checkup
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.secret import Secret

MOST_QUERIES = 24
"""Polls and downloads in flight at once."""
MOST_SUBMISSIONS = 64
"""Paid requests in flight at once: a synchronous model holds one for a minute."""


class AsyncClient:
    """Speaks to the platform on the running event loop.

    *api_key* and *base_url* default to `OPEAI_API_KEY` and `OPEAI_BASE_URL`, then to no key and the
    platform itself. *transport* is any httpx transport (a script, the engine). *allow_hosts* names
    private hosts that pictures may be downloaded from. *submit_timeout* is the longest silence in
    seconds while a paid request is answered. *clock*, *sleep* and *resolve* (a host's IP addresses;
    none are asked for over a *transport*) are injected for tests. Usable as a context manager.
    Raises `InputError` for a URL or a key that cannot be right.
    """

    def __init__(
        self,
        *,
        api_key: str | Secret | None = None,
        base_url: str | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        allow_hosts: Iterable[str] = (),
        submit_timeout: float = SUBMIT_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        resolve: Callable[[str], Awaitable[Iterable[str]]] | None = None,
    ) -> None:
        self.endpoint = endpoint_at(
            base_url, allow_hosts=frozenset(allow_hosts), submit_timeout=submit_timeout
        )
        self._key = checked_key(api_key)
        self._transport = AsyncWideTransport() if transport is None else transport
        self._resolve: Callable[[str, float], Awaitable[Iterable[str]]]
        self._resolve = async_addresses_of if transport is None else _nowhere
        if resolve is not None:
            self._resolve = lambda host, _seconds: resolve(host)
        self._clock = clock
        self._sleep = sleep
        # A bound, so that a thousand tasks are a few dozen connections. With 24 in flight, 256
        # tasks 100 ms away are polled as often as is useful (16 cost 0.1 s of lag: bench_load).
        self._queries = PerLoop(lambda: asyncio.Semaphore(MOST_QUERIES))
        self._throttles = PerLoop(lambda: Throttle(MOST_SUBMISSIONS, clock, sleep))

    def __repr__(self) -> str:
        return f"<AsyncClient: {self.endpoint.base_url}, key {'set' if self._key else 'not set'}>"

    @property
    def throttle(self) -> Throttle:
        """How many paid requests may be in flight on this loop, as the answers taught it."""
        return self._throttles.here()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    @property
    def key(self) -> Secret | None:
        """The API key, which shows itself to nobody; None where there is none."""
        return self._key

    # -- verbs: each is one flow

    async def generate(
        self,
        prompt: str | ImageRequest | None = None,
        *,
        on_update: Callable[[Task], object] | None = None,
        timeout: float = Patience.timeout,
        durations: Sequence[float] = (),
        into: str | Path | None = None,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Generation:
        """Send a request, wait for it and download its pictures.

        *fields* are those of `ImageRequest`, by the API's names. *on_update* is called with each
        snapshot of a task (and awaited if it wants to be); *timeout* is how long a task and its
        pictures are waited for, in seconds; *durations* of earlier tasks tune the polling; with
        *into*, pictures go straight into files of that folder.
        Raises the errors of `opeai_nb.errors`, with evidence; the paid request is sent once.
        """
        request = request_for(prompt, fields)
        key = key_for(idempotency_key)
        patience = Patience(timeout, durations)
        flow = flows.generate(self.endpoint, request, key, patience)
        return told(await self._obey(flow, on_update, folder_at(into)))

    async def submit(
        self,
        prompt: str | ImageRequest | None = None,
        *,
        into: str | Path | None = None,
        idempotency_key: str | None = None,
        sending: Sending | None = None,
        **fields: Any,
    ) -> Generation | Task:
        """Send a request once; return its pictures (not downloaded yet) or the task to wait for.

        *sending* is told when the first byte leaves, at each attempt, and when it came to nothing.
        """
        request = request_for(prompt, fields)
        key = key_for(idempotency_key)
        flow = submit(self.endpoint, request, key)
        answer = await self._obey(flow, into=folder_at(into), sending=sending)
        return answer if isinstance(answer, Task) else told(answer)

    async def task(self, task: Task | str, *, timeout: float = Patience.timeout) -> Task:
        """Ask about a task once: a snapshot. *timeout* is how long it may take, in seconds."""
        from opeai_nb.client.protocol.poll import ask  # not before there is a task

        flow = ask(self.endpoint, task_for(task), Patience(timeout).timeout)
        return await self._obey(flow)

    async def watch(
        self,
        task: Task | str,
        on_update: Callable[[Task], object] | None = None,
        *,
        timeout: float = Patience.timeout,
        durations: Sequence[float] = (),
        into: str | Path | None = None,
    ) -> Task:
        """Follow a task until it is settled; return the last snapshot."""
        from opeai_nb.client.protocol.poll import watch  # not before there is a task

        patience = Patience(timeout, durations)
        return await self._obey(
            watch(self.endpoint, task_for(task), patience),
            on_update,
            folder_at(into),
        )

    async def wait(
        self,
        task: Task | str,
        on_update: Callable[[Task], object] | None = None,
        *,
        timeout: float = Patience.timeout,
        durations: Sequence[float] = (),
        into: str | Path | None = None,
    ) -> Generation:
        """Follow a task until it is settled and download its pictures."""
        patience = Patience(timeout, durations)
        flow = flows.wait(self.endpoint, task_for(task), patience)
        return told(await self._obey(flow, on_update, folder_at(into)))

    def reread(self, answer: bytes, request: ImageRequest) -> Generation | Task:
        """Read an answer anew that was kept (`error.answer`): pictures, or a task to wait for.

        Nothing is sent. Raises what `submit` raises where it still cannot be read.
        """
        from opeai_nb.client.protocol.read_submission import reread  # seldom asked for

        return reread(answer, request, self._key)

    async def fetch(
        self,
        generation: Generation,
        *,
        timeout: float | None = None,
        into: str | Path | None = None,
    ) -> Generation:
        """Download the pictures of a generation that are not here yet.

        *timeout* is how long that may take, in seconds; None: ten minutes a picture.
        """
        seconds = None if timeout is None else Patience(timeout).timeout
        flow = fetch(self.endpoint, generation, seconds)
        return await self._obey(flow, into=folder_at(into))

    async def models(self) -> list[Model]:
        """Return the models that the platform lists."""
        from opeai_nb.client.protocol.list_models import models  # seldom asked for

        return await self._obey(models(self.endpoint))

    async def check(self, *, timeout: float = 20.0) -> Checkup:
        """Look at base URL, key, proxy, certificates, platform, models and clock.

        Nothing is paid: one GET is all that is sent. It ends after *timeout* seconds whatever the
        network does, and never raises.
        """
        from opeai_nb.client.protocol.check import check as look
        from opeai_nb.client.protocol.check import cut_short  # seldom asked for
        from opeai_nb.client.values.finding import Checkup

        flow = look(self.endpoint, self._key, time.time())
        try:
            return Checkup(await asyncio.wait_for(self._obey(flow), timeout))
        except TimeoutError:
            return Checkup(cut_short(self.endpoint, self._key, timeout))

    # -- obeying

    async def _obey(
        self,
        flow: Flow[Result],
        on_update: Callable[[Task], object] | None = None,
        into: Path | None = None,
        sending: Sending | None = None,
    ) -> Result:
        task: Task | None = None
        answer: object = None
        failure: Unsent | CutAnswer | None = None
        try:
            while True:
                try:
                    step = flow.send(answer) if failure is None else flow.throw(failure)
                except StopIteration as end:
                    result: Result = end.value
                    return result
                task = step if isinstance(step, Task) else task
                answer = failure = None
                try:
                    answer = await self._do(step, on_update, into, sending)
                except (Unsent, CutAnswer) as failed:
                    failure = failed
        except BaseException as error:
            interrupted(error, task)
            raise
        finally:
            flow.close()

    async def _do(
        self,
        step: Step,
        on_update: Callable[[Task], object] | None,
        into: Path | None,
        sending: Sending | None,
    ) -> object:
        match step:
            case Call():
                return await self._call(step, into, sending)
            case Returned(why) if sending is not None:
                await sending.returned(why)
            case Sleep(seconds):
                await self._sleep(seconds)
                return self._clock()
            case Now():
                return self._clock()
            case Resolve(host, seconds):
                return await self._resolve(host, seconds)
            case Together(parts):
                return await asyncio.gather(*(self._obey(part, into=into) for part in parts))
            case Task() if on_update is not None:
                if inspect.isawaitable(done := on_update(step)):
                    await done
        return None

    async def _call(self, call: Call, into: Path | None, sending: Sending | None) -> Reply:
        limit = self._queries.here() if call.content is None else self.throttle
        has_to_wait, began = limit.locked(), self._clock()
        turn = await in_time(limit, call.patience)
        try:
            if has_to_wait:
                call = exchange.begun(call, self._clock() - began)
            return await self._answered(call, into, sending, turn)
        finally:
            await limit.__aexit__(None, None, None)

    async def _answered(
        self, call: Call, into: Path | None, sending: Sending | None, turn: int | None
    ) -> Reply:
        response, reader, sink = None, None, None
        began = self._clock()
        try:
            response = await self._sent(exchange.request_of(call, self._key), sending)
            try:
                if turn is not None:
                    self.throttle.heard(turn, response.status_code, response.headers)
                sink = Sink(exchange.folder_for(response, into))
                reader = reader_for(call.reader, response)
                async for chunk in async_chunks(response):
                    sink.take(reader.feed(chunk))
                    exchange.check_pace(call, self._clock() - began)
            finally:
                await response.aclose()
            return exchange.reply_of(response, reader, sink, self._clock(), self._key)
        except exchange.FAILURES as error:
            late = exchange.late_or(error, call, self._clock() - began)
            raise exchange.failure_with(late, response, reader, sink, self._key) from error
        finally:
            if sink is not None:
                sink.close()

    async def _sent(self, request: httpx.Request, sending: Sending | None) -> httpx.Response:
        """Send a request; *sending* hears of it as late as the transport can tell."""
        if sending is not None:
            if isinstance(self._transport, AsyncWideTransport):
                request.extensions["trace"] = tracing_departure(sending.leaves)
            else:
                await sending.leaves()
        return await self._transport.handle_async_request(request)


async def _nowhere(_host: str, _seconds: float) -> tuple[str, ...]:
    """Know no address: what a transport of one's own reaches is its own business."""
    return ()
