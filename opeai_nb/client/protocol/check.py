"""Looking at all that a request depends on, by one GET and never a POST."""

from __future__ import annotations

import re
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

import httpx

from opeai_nb.client.http.exchange import UNPAID
from opeai_nb.client.http.network.certificates import named_certificates, tls_context
from opeai_nb.client.http.network.proxies import (
    ProxyProblemError,
    is_loopback,
    named_proxy,
    proxy_for,
)
from opeai_nb.client.protocol.list_models import models_in, models_problem
from opeai_nb.client.protocol.steps import CutAnswer, Flow, Unsent
from opeai_nb.client.values.finding import Finding
from opeai_nb.errors import (
    AuthenticationError,
    NotFoundError,
    PermissionDeniedError,
)
from opeai_nb.fields import DEFAULT_MODEL
from opeai_nb.wording import rough_duration

if TYPE_CHECKING:
    from opeai_nb.client.protocol.steps import Reply
    from opeai_nb.client.wire.endpoint import Endpoint
    from opeai_nb.secret import Secret

_ASK_SECONDS: Final = 10.0
_CLOCK_NOTED: Final = 60.0
_CLOCK_WRONG: Final = 300.0
"""Seconds that clocks may be apart: stores refuse signed URLs beyond five to fifteen minutes."""
_PLACEHOLDER = re.compile(r"(?i)your|xxx|\.\.\.|…|<|>|api[-_]?key|changeme|example|placeholder")


def check(endpoint: Endpoint, key: Secret | None, now: float) -> Flow[list[Finding]]:
    """Return what a look at base URL, key, proxy, certificates and the platform found.

    *now* is this machine's time, in seconds since 1970. Never raises.
    """
    findings = surroundings(endpoint, key)
    try:
        reply = yield from _asked(endpoint)
    except Unsent as failure:
        remedy = (failure.advice or _NO_WAY).removeprefix(UNPAID).strip()
        return [*findings, Finding("platform", f"not reached: {failure}", "wrong", remedy)]
    except CutAnswer as failure:
        return [*findings, Finding("platform", f"no answer: {failure}", "wrong", _SILENT)]
    return [*findings, _platform(reply, key), *_models(reply), _clock(reply, now)]


def _asked(endpoint: Endpoint) -> Flow[Reply]:
    """Return the answer to the one question; a redirect inside the origin is followed."""
    call = replace(endpoint.query("/v1/models"), read_timeout=_ASK_SECONDS, longest=_ASK_SECONDS)
    reply: Reply = yield call
    target = urljoin(call.url, reply.headers.get("location", ""))
    if reply.is_redirect and endpoint.is_own(target) and target != call.url:
        reply = yield replace(call, url=target)
    return reply


_NO_WAY: Final = "Check the network and OPEAI_BASE_URL."
_SILENT: Final = "Try again later; where it lasts, a proxy or a firewall may hold answers back."


def cut_short(endpoint: Endpoint, key: Secret | None, seconds: float) -> list[Finding]:
    """Return the findings of a look that its deadline ended."""
    silent = Finding("platform", f"no answer within {seconds:.0f} s", "wrong", _SILENT)
    return [*surroundings(endpoint, key), silent]


def surroundings(endpoint: Endpoint, key: Secret | None) -> list[Finding]:
    """Return what can be seen without asking anybody."""
    return [_base_url(endpoint), key_finding(key), _proxy(endpoint), _certificates(endpoint)]


def _base_url(endpoint: Endpoint) -> Finding:
    parts = urlsplit(endpoint.base_url)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        remedy = "Everybody on the way can read the key: use https where the server has it."
        return Finding("base URL", endpoint.base_url, "note", remedy)
    return Finding("base URL", endpoint.base_url)


def key_finding(key: Secret | None) -> Finding:
    """Return what can be said of a key without showing it."""
    if key is None:
        remedy = "Set OPEAI_API_KEY, or type it once: %imagine key. A server may need none."
        return Finding("key", "not set", "note", remedy)
    where = f"set ({key.source})" if key.source else "set"
    if _PLACEHOLDER.search(key.reveal()):
        remedy = "It looks like the placeholder of an example: set the key of your account."
        return Finding("key", where, "note", remedy)
    if key.was_wrapped:
        remedy = "It works: they are left out. Write it without, for other tools send them along."
        return Finding("key", f"{where}, with quotes or a name around it", "note", remedy)
    return Finding("key", where)


def _proxy(endpoint: Endpoint) -> Finding:
    url = endpoint.base_url
    try:
        proxy, named = proxy_for(url), named_proxy(urlsplit(url).scheme)
    except ProxyProblemError as error:
        return Finding("proxy", "cannot be understood", "wrong", f"{error}.")
    if proxy is not None:
        return Finding("proxy", f"{proxy} is used: NO_PROXY does not name {endpoint.host}")
    if named is None:
        return Finding("proxy", "none: no variable names one")
    if is_loopback(endpoint.host):
        return Finding("proxy", f"none: this machine is asked itself, whatever {named[0]} says")
    return Finding("proxy", f"none: NO_PROXY exempts {endpoint.host} from {named[0]}")


def _certificates(endpoint: Endpoint) -> Finding:
    if not endpoint.base_url.startswith("https:"):
        return Finding("certificates", "not needed: the base URL is http")
    named = named_certificates()
    try:
        tls_context()
    except httpx.ConnectError as error:
        remedy = "Set that variable to a file of certificates, or unset it."
        return Finding("certificates", f"{error}", "wrong", remedy)
    return Finding("certificates", f"those of {named[0]}" if named else "those of certifi")


def _platform(reply: Reply, key: Secret | None) -> Finding:
    if models_in(reply) is not None:
        return Finding("platform", "answers" if key is None else "answers, and takes the key")
    error = models_problem(reply)
    text = f"HTTP {reply.status}: {error.message}"
    if isinstance(error, (AuthenticationError, PermissionDeniedError)):
        return Finding("platform", text, "wrong", error.advice)
    if isinstance(error, NotFoundError):
        remedy = (
            "Where pictures come all the same, it lists no models. Else the base URL leads "
            "elsewhere: check OPEAI_BASE_URL."
        )
        return Finding("platform", f"answers, but has no /v1/models ({text})", "note", remedy)
    return Finding("platform", text, "wrong", error.advice)


def _models(reply: Reply) -> list[Finding]:
    models = models_in(reply)
    if models is None:
        return []
    names = {model.id for model in models}
    text = f"{len(names)} listed"
    if DEFAULT_MODEL in names:
        return [Finding("models", f"{text}, {DEFAULT_MODEL} (the default) among them")]
    remedy = "Name one in each request, or set a default: %config Imagine.model = …"
    return [
        Finding("models", f"{text}, {DEFAULT_MODEL} (the default) not among them", "note", remedy)
    ]


def _clock(reply: Reply, now: float) -> Finding:
    try:
        there = parsedate_to_datetime(reply.headers["date"]).timestamp()
    except (KeyError, ValueError, TypeError, IndexError, OverflowError):
        return Finding("clock", "not compared: the server tells no time")
    apart = now - there
    if abs(apart) < _CLOCK_NOTED:
        return Finding("clock", "agrees with the server's")
    text = f"{rough_duration(abs(apart))} {'ahead of' if apart > 0 else 'behind'} the server's"
    remedy = "Set this machine's clock: certificates and signed URLs depend on it."
    return Finding("clock", text, "wrong" if abs(apart) > _CLOCK_WRONG else "note", remedy)
