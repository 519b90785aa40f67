"""Studios over an engine with a canned painter: what runs many requests is tested, not painting."""

from __future__ import annotations

from tests.studio.conftest import engine, new_studio, studio, transport

__all__ = ["engine", "new_studio", "studio", "transport"]
