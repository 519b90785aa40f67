"""The version, below everything that tells it: in files, requests and answers."""

from __future__ import annotations

__version__ = "0.1.0"
