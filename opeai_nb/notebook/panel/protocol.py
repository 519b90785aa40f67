"""What the page and the kernel tell each other: all of it stands here.

**State**, from the kernel to every page that shows the panel; also when a page is loaded again.
Pictures are bytes in it.

| trait | what it holds |
|---|---|
| `_controls` | the controls by the API's names, *only* (see `region`), *edit*: the last of a page |
| `_inputs` | the input pictures: *digest*, *label*, *note*, *tile*, *whole*: pixels as given |
| `_table` | `model_table`: what the page knows of models |
| `_models` | the menu: (title, names) |
| `_presets` | the user's presets as *choices* (name, prompt, fields), and a *problem* with them |
| `_advice` | *notes* on the request and its *cost*, *of* which model, size, quality and n |
| `_status` | see `status.Status` |
| `_stage` | see `stage.Stage` |
| `_tags` | the tags of the library: (tag, number of records) |
| `_gallery`, `_tiles` | the first page of the gallery, and its pictures by key |
| `_limit` | bytes that one upload may have |
| `_name` | what tells this panel from any other |
| `_library_id` | equal in panels of one library: a page shows what one was told in all at once |

**Messages**, from the page to the kernel: `MESSAGES`. Each has a *kind* and an *id*, and is
answered once, by `{"answer": id, …}`, with a *problem* (`status.problem_of`) where it failed. The
page holds nothing back while the kernel is busy, and subshells may handle a later message first. So
each says all that it needs: a click brings the controls with it, an edit its number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MESSAGES: Final[dict[str, dict[str, type]]] = {
    "shown": {},  # the panel stands on a page: what was read of the library may come
    "painted": {},  # and so does the gallery: what takes a processor for long may begin
    "controls": {"values": dict, "edit": list},  # a person changed something
    "generate": {"values": dict, "edit": list},  # the click; its id tells it from any other
    "presets": {},  # the list is opened: read the file anew
    "stop": {},
    "again": {},
    "insert": {},  # answer: code, free
    "select": {"key": str},
    "edit": {"key": str},  # the picture becomes the input
    "restore": {"key": str},
    "save": {"key": str, "target": str},  # answer: note
    "name": {"text": str},  # a path, a URL or a variable; answer: note
    "piece": {"name": str, "size": int, "start": int},  # of a file, one buffer; answer: note
    "remove": {"digest": str},  # an input picture
    "open": {"digest": str},  # to draw a region in; answer: size as shown, and a buffer
    "gallery": {"number": int},  # answer: gallery, and its tiles as buffers in the order of keys
    "search": {"text": str, "marked": str},  # the words, and `★`, `#tag` or nothing
    "prompts": {"text": str, "after": list},  # answer: prompts, after, tiles as in `gallery`
    "recall": {"record": str},  # the controls become those of a record
    "mark": {"key": str, "change": dict},  # star, tag, untag, trash; answer: its row now
    "large": {"key": str},  # answer: a buffer, to compare with
}
"""Kind -> its fields and their types."""


@dataclass(frozen=True)
class Message:
    """One message of a page. *buffers* are what travels as bytes."""

    kind: str
    id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    buffers: Sequence[Any] = ()


def read(content: Any, buffers: Sequence[Any] = ()) -> Message:
    """Return a message that is whole. Raises `OptionError` for anything else."""
    kind = content.get("kind") if isinstance(content, dict) else None
    expected = MESSAGES.get(str(kind))
    if expected is None:
        raise OptionError(f"The page sent {str(kind)[:40]!r}, which is no message of the panel.")
    fields = {name: content.get(name) for name in expected}
    if wrong := [name for name, kind_ in expected.items() if not isinstance(fields[name], kind_)]:
        raise OptionError(f"The page sent {kind!r} without its {wrong[0]}.")
    return Message(str(kind), str(content.get("id", "")), fields, buffers)


def answer(message_id: str, **said: Any) -> dict[str, Any]:
    """Return the answer to a message."""
    return {"answer": message_id, **said}
