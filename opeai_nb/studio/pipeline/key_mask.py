"""The key, which may stand in what is used and never on the disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from opeai_nb.client import Generation, Task
    from opeai_nb.secret import Secret

Text = TypeVar("Text", str, str | None)


@dataclass(frozen=True)
class KeyMask:
    """Puts a placeholder where *key* stands in a URL or an id, and the key back in its place."""

    key: Secret | None

    def hidden(self, text: Text) -> Text:
        """Return *text* as it is written down."""
        return text if text is None or self.key is None else self.key.hidden_in(text)

    def restored(self, text: Text) -> Text:
        """Return *text* as it came."""
        return text if text is None or self.key is None else self.key.restored_in(text)

    def hidden_in(self, generation: Generation) -> Generation:
        """Return a generation as it is written down."""
        if generation.task_id is None and not any(p.url for p in generation.pictures):
            return generation
        pictures = tuple(replace(p, url=self.hidden(p.url)) for p in generation.pictures)
        return replace(generation, pictures=pictures, task_id=self.hidden(generation.task_id))

    def restored_in(self, generation: Generation) -> Generation:
        """Return a generation as it came."""
        pictures = tuple(replace(p, url=self.restored(p.url)) for p in generation.pictures)
        return replace(generation, pictures=pictures, task_id=self.restored(generation.task_id))

    def hidden_in_task(self, task: Task) -> Task:
        """Return a task as it is written down."""
        return replace(task, id=self.hidden(task.id), poll_path=self.hidden(task.poll_path))
