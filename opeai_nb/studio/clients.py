"""The clients of a studio: one for its settings, and one for what was begun elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opeai_nb import connect
from opeai_nb.errors import OptionError
from opeai_nb.guard import Guard
from opeai_nb.settings import settings as settings_from

if TYPE_CHECKING:
    from opeai_nb.client import AsyncClient
    from opeai_nb.settings import Settings


class Clients:
    """Makes clients when they are first needed; a *client* stands for the settings' own."""

    def __init__(self, settings: Settings, client: AsyncClient | None = None) -> None:
        self._settings = settings
        self._given = client
        self._here = client
        self._others: dict[str, AsyncClient] = {}
        self._lock = Guard()

    def given_for(self, settings: Settings) -> AsyncClient | None:
        """Return the client that was given, for *settings* of the same server and key."""
        mine, other = self._settings, settings
        is_same = (mine.base_url, mine.api_key, mine.engine) == (
            other.base_url,
            other.api_key,
            other.engine,
        )
        return self._given if is_same else None

    def here(self) -> AsyncClient:
        """Return the client for the settings."""
        with self._lock:
            if self._here is None:
                # Without a key nothing is sent, that is decided before; what is kept is shown.
                self._here = connect.async_client(self._settings, may_lack_key=True)
            return self._here

    def at(self, base_url: str, origin: str) -> AsyncClient:
        """Return the client for what was sent to *base_url*, as the journal has it.

        A folder may come from anybody, and the API key goes nowhere but where the settings say:
        raises `OptionError` for any other server.
        """
        here = self.here()
        connect.checked_settings(self._settings)
        if base_url == here.endpoint.base_url:
            return here
        if origin == "engine":
            return self._other("engine:")
        if base_url != self._platform():
            raise OptionError(
                "This request was sent to another server than the settings name, and the API key "
                "goes nowhere else.",
                advice="Set OPEAI_BASE_URL to the server that it was sent to, and resume again.",
            )
        return self._other(base_url)

    def _platform(self) -> str:
        """Return the address of the platform, also where the settings choose the engine."""
        from opeai_nb.client.wire.endpoint import PLATFORM_URL, endpoint_at

        settings = self._settings
        if settings.base_url is None or settings.says_engine:
            return PLATFORM_URL
        return endpoint_at(settings.base_url).base_url

    def _other(self, base_url: str) -> AsyncClient:
        with self._lock:
            if base_url not in self._others:
                given = {"base_url": base_url, "engine": "auto"}
                settings = settings_from(**given, api_key=self._settings.api_key)
                self._others[base_url] = connect.async_client(settings)
            return self._others[base_url]
