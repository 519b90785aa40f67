"""A look at everything that a picture depends on, for when something is wrong."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from opeai_nb import connect
from opeai_nb.client.protocol.check import key_finding, surroundings
from opeai_nb.client.values.finding import Checkup, Finding
from opeai_nb.client.wire.endpoint import endpoint_at
from opeai_nb.client.wire.key import checked_key
from opeai_nb.errors import OpeaiError
from opeai_nb.library.disk.condition import condition_of
from opeai_nb.settings import settings as settings_from
from opeai_nb.studio.pricing import presets_of, prices_of
from opeai_nb.studio.session_limit import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opeai_nb.settings import Settings

_PACKAGES: Final = (
    *("opeai_nb", "httpx", "httpcore", "pillow", "numpy", "ipython", "ipykernel", "ipywidgets"),
    *("anywidget", "jupyterlab", "pillow-heif", "socksio"),
)
_NOT_IN_PROCESS: Final = frozenset({"base URL", "key", "proxy", "certificates", "clock"})


def examine(
    settings: Callable[[], Settings] = settings_from, *more: Finding, timeout: float = 20.0
) -> Checkup:
    """Return what a look at settings, platform, library and versions found, and *more*.

    No POST is sent. It ends after *timeout* seconds whatever the network does, and never raises.
    """
    try:
        chosen = settings()
    except OpeaiError as error:
        return Checkup([_wrong("settings", error), *more, *_versions()])
    return Checkup(
        [
            *_painter(chosen, timeout),
            *condition_of(chosen.library.absolute()),
            *_money(chosen),
            *more,
            *_versions(),
        ]
    )


def _painter(settings: Settings, timeout: float) -> Iterable[Finding]:
    """Return who paints, and whether it answers."""
    try:
        origin = settings.origin
        client = connect.client(settings)
    except OpeaiError as error:
        return _what_is_wrong(settings) or [_wrong("settings", error)]
    with client:
        findings = client.check(timeout=timeout)
    if origin == "platform":
        return findings
    return [
        _engine(settings),
        *(finding for finding in findings if finding.name not in _NOT_IN_PROCESS),
    ]


def _what_is_wrong(settings: Settings) -> list[Finding]:
    """Return which of base URL and key no client can be made of, and what else can be seen."""
    findings, endpoint = [], None
    try:
        endpoint = endpoint_at(settings.base_url)
    except OpeaiError as error:
        findings.append(_wrong("base URL", error))
    try:
        key = checked_key(settings.api_key or "")
    except OpeaiError as error:
        findings.append(_wrong("key", error))
        key = None
    if not findings:
        return []
    seen = [key_finding(key)] if endpoint is None else surroundings(endpoint, key)
    names = {finding.name for finding in findings}
    return [*findings, *(finding for finding in seen if finding.name not in names)]


def _engine(settings: Settings) -> Finding:
    text = "the embedded engine, on this machine"
    if settings.engine_is_chosen:
        return Finding("painter", f"{text}: it was chosen")
    remedy = "For pictures of the platform set OPEAI_API_KEY, or type it once: %imagine key."
    return Finding("painter", f"{text}: there is no key", "note", remedy)


def _money(settings: Settings) -> list[Finding]:
    """Return what there is to say of prices, presets and the limit of a session, where any are."""
    looks: dict[str, Callable[[Settings], object]] = {
        "prices": prices_of,
        "presets": presets_of,
        "limit": Limit.of,
    }
    for name, look in looks.items():  # the first alone: a file that is none is wrong for them all
        if (error := _error_of(look, settings)) is not None:
            return [_wrong(name, error)]
    if settings.prices is None:
        return []
    prices = prices_of(settings)
    count = 0 if prices is None else len(prices.prices)
    return [Finding("prices", f"{count} of models, and {len(presets_of(settings))} presets")]


def _error_of(look: Callable[[Settings], object], settings: Settings) -> OpeaiError | None:
    try:
        look(settings)
    except OpeaiError as error:
        return error
    return None


def _wrong(name: str, error: OpeaiError) -> Finding:
    return Finding(
        name, error.message, "wrong", error.advice.removesuffix("Nothing was sent.").strip()
    )


def _versions() -> list[Finding]:
    system = f"Python {platform.python_version()} on {platform.system()} {platform.release()}"
    found = [f"{name} {told}" for name in _PACKAGES if (told := _version(name))]
    return [
        Finding("versions", ", ".join(found)),
        Finding("Python", f"{system}, {sys.executable}"),
    ]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
