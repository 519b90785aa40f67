"""The synchronous shell: it obeys flows over an httpx transport, and decides nothing."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Self

from opeai_nb.client.arguments import folder_at, interrupted, key_for, request_for, task_for, told
from opeai_nb.client.http import exchange
from opeai_nb.client.http.body_sink import Sink
from opeai_nb.client.http.connection_pool import WideTransport
from opeai_nb.client.http.content_encoding import chunks, reader_for
from opeai_nb.client.http.network.resolve import addresses_of
from opeai_nb.client.protocol import flows
from opeai_nb.client.protocol.fetch_pictures import fetch
from opeai_nb.client.protocol.patience import Patience
from opeai_nb.client.protocol.steps import (
    Call,
    CutAnswer,
    Now,
    Resolve,
    Result,
    Sleep,
    Together,
    Unsent,
)
from opeai_nb.client.protocol.submit import submit
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.endpoint import SUBMIT_TIMEOUT, endpoint_at
from opeai_nb.client.wire.key import checked_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    import httpx

    from opeai_nb.client.protocol.list_models import Model
    from opeai_nb.client.protocol.steps import Flow, Reply, Step
    from opeai_nb.client.values.finding import Checkup
    from opeai_nb.client.values.generation import Generation
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.secret import Secret

MOST_TOGETHER = 8
"""Downloads of one generation at once: more do not fill a home line better."""


class Client:
    """Speaks to the platform and returns when it is done.

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
        transport: httpx.BaseTransport | None = None,
        allow_hosts: Iterable[str] = (),
        submit_timeout: float = SUBMIT_TIMEOUT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        resolve: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        self.endpoint = endpoint_at(
            base_url, allow_hosts=frozenset(allow_hosts), submit_timeout=submit_timeout
        )
        self._key = checked_key(api_key)
        self._transport = WideTransport() if transport is None else transport
        self._resolve: Callable[[str, float], Iterable[str]]
        self._resolve = addresses_of if transport is None else _nowhere
        if resolve is not None:
            self._resolve = lambda host, _seconds: resolve(host)
        self._clock = clock
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"<Client: {self.endpoint.base_url}, key {'set' if self._key else 'not set'}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    @property
    def key(self) -> Secret | None:
        """The API key, which shows itself to nobody; None where there is none."""
        return self._key

    # -- verbs: each is one flow

    def generate(
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
        snapshot of a task; *timeout* is how long a task and its pictures are waited for, in
        seconds; *durations* of earlier tasks tune the polling; with *into*, pictures go straight
        into files of that folder.
        Raises the errors of `opeai_nb.errors`, with evidence; the paid request is sent once.
        """
        request = request_for(prompt, fields)
        key = key_for(idempotency_key)
        patience = Patience(timeout, durations)
        flow = flows.generate(self.endpoint, request, key, patience)
        return told(self._obey(flow, on_update, folder_at(into)))

    def submit(
        self,
        prompt: str | ImageRequest | None = None,
        *,
        into: str | Path | None = None,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Generation | Task:
        """Send a request once; return its pictures (not downloaded yet) or the task to wait for."""
        request = request_for(prompt, fields)
        key = key_for(idempotency_key)
        flow = submit(self.endpoint, request, key)
        answer = self._obey(flow, into=folder_at(into))
        return answer if isinstance(answer, Task) else told(answer)

    def task(self, task: Task | str, *, timeout: float = Patience.timeout) -> Task:
        """Ask about a task once: a snapshot. *timeout* is how long it may take, in seconds."""
        from opeai_nb.client.protocol.poll import ask  # not before there is a task

        flow = ask(self.endpoint, task_for(task), Patience(timeout).timeout)
        return self._obey(flow)

    def watch(
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
        return self._obey(
            watch(self.endpoint, task_for(task), patience),
            on_update,
            folder_at(into),
        )

    def wait(
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
        return told(self._obey(flow, on_update, folder_at(into)))

    def reread(self, answer: bytes, request: ImageRequest) -> Generation | Task:
        """Read an answer anew that was kept (`error.answer`): pictures, or a task to wait for.

        Nothing is sent. Raises what `submit` raises where it still cannot be read.
        """
        from opeai_nb.client.protocol.read_submission import reread  # seldom asked for

        return reread(answer, request, self._key)

    def fetch(
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
        return self._obey(flow, into=folder_at(into))

    def models(self) -> list[Model]:
        """Return the models that the platform lists."""
        from opeai_nb.client.protocol.list_models import models  # seldom asked for

        return self._obey(models(self.endpoint))

    def check(self, *, timeout: float = 20.0) -> Checkup:
        """Look at base URL, key, proxy, certificates, platform, models and clock.

        Nothing is paid: one GET is all that is sent. It ends after *timeout* seconds whatever the
        network does, and never raises.
        """
        from opeai_nb.client.http.daemon_thread import done_in_thread  # seldom asked for
        from opeai_nb.client.protocol.check import check as look
        from opeai_nb.client.protocol.check import cut_short
        from opeai_nb.client.values.finding import Checkup

        flow = look(self.endpoint, self._key, time.time())
        findings = done_in_thread(lambda: self._obey(flow), timeout)
        return Checkup(findings or cut_short(self.endpoint, self._key, timeout))

    # -- obeying

    def _obey(
        self,
        flow: Flow[Result],
        on_update: Callable[[Task], object] | None = None,
        into: Path | None = None,
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
                    answer = self._do(step, on_update, into)
                except (Unsent, CutAnswer) as failed:
                    failure = failed
        except BaseException as error:
            interrupted(error, task)
            raise
        finally:
            flow.close()

    def _do(
        self,
        step: Step,
        on_update: Callable[[Task], object] | None,
        into: Path | None,
    ) -> object:
        match step:
            case Call():
                return self._call(step, into)
            case Sleep(seconds):
                self._sleep(seconds)
                return self._clock()
            case Now():
                return self._clock()
            case Resolve(host, seconds):
                return self._resolve(host, seconds)
            case Together(parts):
                return self._together(parts, into)
            case Task() if on_update is not None:
                on_update(step)
        return None

    def _together(self, parts: Sequence[Flow[Result]], into: Path | None) -> list[Result]:
        if len(parts) == 1:
            return [self._obey(parts[0], into=into)]
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(min(len(parts), MOST_TOGETHER))
        try:
            return list(pool.map(lambda part: self._obey(part, into=into), parts))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # an interrupt waits for nobody

    def _call(self, call: Call, into: Path | None) -> Reply:
        response, reader, sink = None, None, None
        began = self._clock()
        try:
            request = exchange.request_of(call, self._key)
            with contextlib.closing(self._transport.handle_request(request)) as response:
                sink = Sink(exchange.folder_for(response, into))
                reader = reader_for(call.reader, response)
                for chunk in chunks(response):
                    sink.take(reader.feed(chunk))
                    exchange.check_pace(call, self._clock() - began)
            return exchange.reply_of(response, reader, sink, self._clock(), self._key)
        except exchange.FAILURES as error:
            late = exchange.late_or(error, call, self._clock() - began)
            raise exchange.failure_with(late, response, reader, sink, self._key) from error
        finally:
            if sink is not None:
                sink.close()


def _nowhere(_host: str, _seconds: float) -> tuple[str, ...]:
    """Know no address: what a transport of one's own reaches is its own business."""
    return ()
