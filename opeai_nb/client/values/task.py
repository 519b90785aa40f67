"""A task of the platform, as one answer about it tells: a snapshot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Final, Literal

from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.errors import Answer, OpeaiError

Status = Literal["queued", "painting", "done", "failed", "unknown"]

# platform.md 5: the words of new-api, DashScope, OpenAI-like gateways and others, brought together;
# in upper case, without what separates their parts.
_WORDS: Final[Mapping[Status, frozenset[str]]] = {
    "queued": frozenset(
        [
            *("NOTSTART", "NOTSTARTED", "SUBMITTED", "QUEUED", "PENDING", "CREATED", "WAITING"),
            *("WAIT", "ACCEPTED", "SCHEDULED", "INQUEUE", "QUEUEING", "QUEUING", "ENQUEUED"),
            *("NEW", "INIT", "INITIALIZED", "INITIALIZING", "PREPARING", "STARTING", "BOOTING"),
            *("RECEIVED", "UNSTARTED", "VALIDATING", "READYTOSTART"),
        ]
    ),
    "painting": frozenset(
        [
            *("INPROGRESS", "INPROCESS", "RUNNING", "PROCESSING", "SUSPENDED", "STARTED"),
            *("GENERATING", "ACTIVE", "WORKING", "EXECUTING", "RENDERING", "UPLOADING"),
            *("POSTPROCESSING", "FINALIZING", "RETRYING", "PAUSED", "ONGOING", "DOING"),
            *("PROCESS", "PROGRESS", "SAVING", "SAMPLING"),
        ]
    ),
    "done": frozenset(
        [
            *("SUCCESS", "SUCCEEDED", "SUCCEED", "SUCCESSFUL", "COMPLETED", "COMPLETE", "DONE"),
            *("FINISHED", "FINISH", "READY", "PARTIALSUCCESS", "PARTIALLYSUCCEEDED"),
            *("PARTIALLYCOMPLETED", "GENERATED", "FULFILLED", "FINALIZED", "DELIVERED", "ENDED"),
        ]
    ),
    "failed": frozenset(
        [
            *("FAILURE", "FAILED", "FAIL", "ERROR", "ERRORED", "CANCELED", "CANCELLED", "CANCEL"),
            *("EXPIRED", "TIMEOUT", "TIMEDOUT", "REJECTED", "ABORTED", "TERMINATED", "KILLED"),
            *("DENIED", "BLOCKED", "NSFW", "CRASHED", "INVALID", "EXCEPTION", "REFUSED"),
            *("UNSUCCESSFUL", "DEAD", "REQUESTMODERATED", "CONTENTMODERATED", "MODERATED"),
        ]
    ),
}
_CHINESE: Final[Mapping[str, Status]] = {
    **dict.fromkeys(("失败", "失敗", "取消", "过期", "超时", "拒绝"), "failed"),
    **dict.fromkeys(("中", "执行"), "painting"),
    **dict.fromkeys(("成功", "完成"), "done"),
    **dict.fromkeys(("排队", "等待", "提交"), "queued"),
}
_PREFIX = re.compile(r"^(?:TASK|JOB|STATUS|STATE|IMAGE|GENERATE|GENERATION)+(?=[A-Z]{3})")
_FAILED_PARTS: Final = ("FAILED", "FAILURE", "ERROR", "CANCELLED", "CANCELED", "REJECTED")
# `completed_with_errors`: some may have failed, and others are there.
_IN_PART = re.compile(
    r"[\W_]*(?:complete|succe|finish|done)[a-z]*[\W_]*(?:with|but)", re.IGNORECASE
)
# `failed_retrying`, `no error`: what ends the wait says that it is over.
_GOES_ON = re.compile(r"(?:^|[\W_])(?:no|not|non)[\W_]|retry|retri|soft", re.IGNORECASE)
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_NEGATIONS: Final = frozenset({"NOT", "NO", "NON", "UN", "IN", "NEVER", "NEARLY", "ALMOST"})
VAGUE: Final = frozenset({"SUCCESS", "SUCCEED", "SUCCESSFUL", "READY"})
"""Words of success that may speak of the question, or of a step."""
_LEFT_OUT = re.compile(r"[^0-9A-Z]+")


def read_status(word: object) -> Status:
    """Return our word for a status of the platform: any vocabulary, case and separators.

    An empty word is `"queued"` (a fresh submit, platform.md 5); a word nobody knows is `"unknown"`.
    """
    if word is None or word == "":
        return "queued"
    for part, status in _CHINESE.items():
        if part in str(word):
            return status
    plain = _LEFT_OUT.sub("", str(word).upper())
    for form in (plain, _PREFIX.sub("", plain)):
        for status, words in _WORDS.items():
            if form in words:
                return status
    if _IN_PART.match(str(word)):
        return "done"
    if any(part in plain for part in _FAILED_PARTS) and not _GOES_ON.search(str(word)):
        return "failed"
    return _by_its_words(str(word))


def goes_on(word: object) -> bool:
    """Tell a word that says that a task is not over; none at all says nothing."""
    return bool(word) and read_status(word) in ("queued", "painting")


def _by_its_words(text: str) -> Status:
    """Return the status that one of several words tells: `completed successfully`.

    `submitted successfully` is queued: of a step that went well the step itself says more.
    """
    words = {part.upper() for part in _PARTS.findall(text)}
    if words & _NEGATIONS or _GOES_ON.search(text):
        return "unknown"
    if words & _WORDS["failed"]:
        return "failed"
    for status, telling in (
        ("done", _WORDS["done"] - VAGUE),
        ("queued", _WORDS["queued"]),
        ("painting", _WORDS["painting"]),
        ("done", _WORDS["done"] | {"SUCCESSFULLY"}),
    ):
        if words & telling:
            return status  # type: ignore[return-value]  # each is one
    return "unknown"


@dataclass(frozen=True)
class Task:
    """One snapshot of a task.

    Where the platform began several for one request, *id* holds all their ids.
    *status* is one of `queued painting done failed unknown`, *platform_status* the platform's own
    word; *model* and *prompt* are what it echoes; *progress* is a percentage (0 to 100) or None
    where the platform gives none; *pictures* are there when it is done (not yet fetched), *error*
    when it failed; *retry_after* is the pause in seconds that the platform asks for; *answer* is
    the body as it came, where it says nothing of pictures; *trouble* is why the last question about
    it failed (it goes on all the same); *notes* is what a person should be told of its pictures.
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
    answer: Answer | None = field(default=None, repr=False)
    trouble: str | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.repr)
        return printable_line(f"Task({', '.join(shown)})")  # a server's id may hold the key

    @property
    def is_settled(self) -> bool:
        """True when nothing more will change: done or failed."""
        return self.status in ("done", "failed")

    @property
    def says_more(self) -> bool:
        """True where the answer is longer than what tells of a task, or names a picture's file."""
        answer = self.answer or b""
        return len(answer) > _LONGEST_ANSWER or _FILE.search(answer) is not None

    @property
    def parts(self) -> tuple[Task, ...]:
        """The tasks of a request for which the platform began several; else itself alone."""
        ids = ids_in(self.id)
        if len(ids) <= 1:
            return (self,)
        paths = (self.poll_path or "").split(_BETWEEN)
        paths = paths if len(paths) == len(ids) else [""] * len(ids)
        return tuple(
            Task(each, model=self.model, poll_path=path or None, request=self.request)
            for each, path in zip(ids, paths, strict=True)
        )


_BETWEEN: Final = ", "
_LONGEST_ANSWER: Final = 2048  # bytes
_FILE: Final = re.compile(rb"\.(?:png|jpe?g|webp|avif)\b", re.IGNORECASE)


def ids_in(task_id: str | None) -> list[str]:
    """Return the ids in the *task_id* of one request: of several tasks they stand in one text."""
    return task_id.split(_BETWEEN) if task_id else []


def joined(tasks: Sequence[Task]) -> Task:
    """Return several tasks of one request as one, which is followed until all are settled."""
    paths = [task.poll_path for task in tasks if task.poll_path]
    return replace(
        tasks[0],
        id=_BETWEEN.join(task.id for task in tasks),
        poll_path=_BETWEEN.join(paths) if len(paths) == len(tasks) else None,
    )
