"""What both shells do with the arguments of a verb, and with what interrupts it."""

from __future__ import annotations

import os
import re
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opeai_nb.client.values.request import ImageRequest, build_request
from opeai_nb.client.values.task import Task
from opeai_nb.client.wire.hints import RequestWarning, hints
from opeai_nb.errors import InputError, LibraryError, OpeaiError
from opeai_nb.printable import printable_line
from opeai_nb.warning import warn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.values.generation import Generation

_SENDABLE = re.compile(r"[!-~]{1,255}")


def request_for(prompt: str | ImageRequest | None, fields: Mapping[str, Any]) -> ImageRequest:
    """Return the checked request; warn of what is known to speak against it.

    Raises `InputError` for a request that cannot be right.
    """
    if isinstance(prompt, ImageRequest) and not fields:
        return prompt
    request = build_request(prompt, fields)
    for hint in hints(request):
        warnings.warn(hint, RequestWarning, stacklevel=3)
    return request


def key_for(idempotency_key: str | None) -> str:
    """Return the Idempotency-Key of one logical request: as given, else a new one.

    Raises `InputError` for one that a header cannot carry.
    """
    if idempotency_key is None:
        return str(uuid.uuid4())
    if not isinstance(idempotency_key, str) or not _SENDABLE.fullmatch(idempotency_key):
        raise InputError(
            "The idempotency_key is not 1 to 255 visible ASCII characters.",
            advice="Leave it out, or give one such as a UUID. Nothing was sent.",
        )
    return idempotency_key


def folder_at(into: str | Path | None) -> Path | None:
    """Return the folder that pictures go into, made when it is missing.

    Raises `LibraryError` when nothing can be written there, before anything is sent.
    """
    if into is None:
        return None
    folder = Path(into).expanduser()
    if folder.is_dir() and os.access(folder, os.W_OK):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The folder for the pictures cannot be made: {error.strerror}.",
            advice="Give another folder in into=. Nothing was sent.",
        ) from error
    if not os.access(folder, os.W_OK):
        raise LibraryError(
            "The folder for the pictures cannot be written to.",
            advice="Give another folder in into=. Nothing was sent.",
        )
    return folder


def task_for(task: Task | str) -> Task:
    """Return a task to ask about, also when only its id is known. Raises `InputError` for none."""
    if isinstance(task, str):
        task = Task(task.strip())
    if not isinstance(task, Task) or not task.id:
        raise InputError("That is neither a task nor a task id.", advice="Nothing was asked.")
    return task


class AnswerWarning(UserWarning):
    """Pictures came, and something about them should be known: see `Generation.notes`."""


def told(generation: Generation) -> Generation:
    """Warn of what is to be known beside the pictures, and return them.

    Where warnings are errors it is printed: a filter must not cost what is paid for.
    """
    for note in generation.notes:
        try:
            warn(note, AnswerWarning, stacklevel=4)
        except AnswerWarning as warning:
            warnings.showwarning(warning, AnswerWarning, __file__, 0)
    return generation


def interrupted(error: BaseException, task: Task | None) -> None:
    """Hang the task that was waited for on what interrupts, so that its id is not lost."""
    if task is None or isinstance(error, (OpeaiError, GeneratorExit)) or hasattr(error, "task"):
        return
    error.task = task  # type: ignore[attr-defined]  # an exception takes attributes
    told = f"The task goes on at the platform: client.wait({task.id!r}) fetches it."
    error.add_note(printable_line(told))
