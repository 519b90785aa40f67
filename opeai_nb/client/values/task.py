"""A task of the platform, as one answer about it tells: a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.errors import OpeaiError

Status = Literal["queued", "painting", "done", "failed", "unknown"]

# platform.md 5: the words of new-api, DashScope and OpenAI-like gateways, brought together.
_WORDS: Final[Mapping[Status, frozenset[str]]] = {
    "queued": frozenset(
        [
            "NOT_START",
            "SUBMITTED",
            "QUEUED",
            "PENDING",
            "CREATED",
            "WAITING",
            "ACCEPTED",
            "SCHEDULED",
            "IN_QUEUE",
        ]
    ),
    "painting": frozenset(
        ["IN_PROGRESS", "RUNNING", "PROCESSING", "SUSPENDED", "STARTED", "GENERATING"]
    ),
    "done": frozenset(
        ["SUCCESS", "SUCCEEDED", "SUCCEED", "COMPLETED", "COMPLETE", "DONE", "FINISHED"]
    ),
    "failed": frozenset(
        [
            "FAILURE",
            "FAILED",
            "FAIL",
            "ERROR",
            "CANCELED",
            "CANCELLED",
            "EXPIRED",
            "TIMEOUT",
            "REJECTED",
            "ABORTED",
        ]
    ),
}


def read_status(word: object) -> Status:
    """Return our word for a status of the platform; any vocabulary, any case.

    An empty word is `"queued"` (a fresh submit, platform.md 5); a word nobody knows is `"unknown"`.
    """
    if word is None or word == "":
        return "queued"
    plain = str(word).strip().upper().replace("-", "_").replace(" ", "_")
    return next((status for status, words in _WORDS.items() if plain in words), "unknown")


@dataclass(frozen=True)
class Task:
    """One snapshot of a task.

    *status* is one of `queued painting done failed unknown`, *platform_status* the platform's own
    word; *model* and *prompt* are what it echoes; *progress* is a percentage (0 to 100) or None
    where the platform gives none; *pictures* are there when it is done (not yet fetched), *error*
    when it failed; *retry_after* is the pause in seconds that the platform asks for.
    """

    id: str
    status: Status = "queued"
    platform_status: str = ""
    progress: float | None = None
    model: str | None = None
    prompt: str | None = field(default=None, repr=False)
    created: int | None = None
    pictures: tuple[Picture, ...] = ()
    usage: Mapping[str, object] | None = None
    error: OpeaiError | None = None
    request_id: str | None = None
    retry_after: float | None = None
    poll_path: str | None = field(default=None, repr=False)
    request: ImageRequest | None = field(default=None, repr=False)

    @property
    def is_settled(self) -> bool:
        """True when nothing more will change: done or failed."""
        return self.status in ("done", "failed")
