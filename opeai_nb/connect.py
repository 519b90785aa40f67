"""From settings to a client, over HTTP or over the embedded engine: the only place that knows both.

from opeai_nb.connect import client
with client() as c:            # the platform with a key, else the embedded engine
c.generate("a red fox in the snow")
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from opeai_nb.settings import settings as settings_from

if TYPE_CHECKING:
    from opeai_nb.client import AsyncClient, Client
    from opeai_nb.settings import Settings


def client(settings: Settings | None = None, **given: Any) -> Client:
    """Return a `Client` for *settings*, or for the settings *given* by name."""
    from opeai_nb.client import Client

    return Client(**_arguments(checked_settings(settings or settings_from(**given))))


def async_client(
    settings: Settings | None = None, *, may_lack_key: bool = False, **given: Any
) -> AsyncClient:
    """Return an `AsyncClient` for *settings*, or for the settings *given* by name.

    With *may_lack_key* also where neither a key nor the engine is there: it must send nothing.
    Raises `OptionError` else.
    """
    from opeai_nb.client import AsyncClient

    chosen = settings or settings_from(**given)
    return AsyncClient(**_arguments(chosen if may_lack_key else checked_settings(chosen)))


def checked_settings(settings: Settings) -> Settings:
    """Return *settings*. Raises `OptionError` where nobody can be asked: no key, and no engine."""
    _ = settings.origin
    return settings


def address(settings: Settings) -> str:
    """Return the base URL that requests go to: what the journal writes down for a resume."""
    from opeai_nb.client.wire.endpoint import endpoint_at

    if settings.asks == "engine":
        from opeai_nb.engine import ENGINE_URL

        return ENGINE_URL
    return endpoint_at(settings.base_url).base_url


def _arguments(settings: Settings) -> dict[str, Any]:
    if settings.asks == "engine":
        from opeai_nb.engine import ENGINE_URL, EngineTransport

        # In process any key will do. A person's own must not reach the engine, and one that is a
        # word would be masked wherever the word occurs.
        key = secrets.token_hex(16)
        return {"base_url": ENGINE_URL, "api_key": key, "transport": EngineTransport()}
    return {
        "base_url": settings.base_url,
        "api_key": settings.api_key or "",
        "allow_hosts": settings.allow_hosts,
    }
