"""Picture items: what each one that a server sends stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.base64_text import decode_base64
from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.wire.read_error import Problem, error_of, find_problem, problem_of
from opeai_nb.errors import NoPictureError, OpeaiError
from opeai_nb.formats import sniff_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opeai_nb.client.protocol.steps import Source
    from opeai_nb.client.wire.unwrap import Places

_BYTES: Final = ("b64_json", "b64", "base64", "image_base64")
_EITHER: Final = ("image", "url", "image_url", "result_url")


def pictures_in(places: Places, blobs: Mapping[int, Source]) -> list[Picture] | None:
    """Return the pictures of an answer, in order; [] for an empty list, None where none can be.

    The first list that holds something, else the one picture that an object names by itself
    (platform.md 5).
    """
    for items in places.lists:
        if any(not _is_task(item) for item in items):
            return [read_item(item, blobs) for item in _flat(items) if not _is_task(item)]
    for node in places.nodes:
        if any(node.get(key) for key in (*_BYTES, *_EITHER)):
            picture = read_item({key: node.get(key) for key in (*_BYTES, *_EITHER)}, blobs)
            if picture.error is None:
                return [picture]
    return [] if places.lists else None


def read_item(item: Any, blobs: Mapping[int, Source]) -> Picture:
    """Return what one item of a list stands for: a picture, or the reason why it is none."""
    if isinstance(item, (str, Blob)):
        item = {"url": item}
    if not isinstance(item, dict):
        return Picture(error=_failed("The platform sent an empty item instead of a picture."))
    names = ("revised_prompt", "actual_prompt")
    revised = next((item[key] for key in names if item.get(key) and type(item[key]) is str), None)
    picture = _first_picture(item, blobs)
    if picture is not None:
        return replace(picture, revised_prompt=revised)
    return Picture(revised_prompt=revised, error=_item_error(item))


def _is_task(item: Any) -> bool:
    return isinstance(item, dict) and ("task_id" in item or "task_status" in item)


def _flat(items: list[Any]) -> Iterator[Any]:
    """Yield the items of a list; those of DashScope's choices from inside their messages."""
    for item in items:
        message = item.get("message", item) if isinstance(item, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            yield from _content(content)
        elif isinstance(content, str) and content:
            yield content
        elif isinstance(item, dict) and isinstance(item.get("url"), list):
            yield from item["url"]
        else:
            yield item


def _content(content: list[Any]) -> Iterator[Any]:
    """Yield the images of a message; its text is the prompt as the model rewrote it."""
    parts = [part for part in content if isinstance(part, dict)]
    text = next((part["text"] for part in parts if isinstance(part.get("text"), str)), None)
    for part in parts:
        if any(part.get(key) for key in (*_BYTES, *_EITHER)):
            yield {"revised_prompt": text, **part}


def _first_picture(item: dict[str, Any], blobs: Mapping[int, Source]) -> Picture | None:
    """Prefer bytes to a URL: they do not expire and cost no second request."""
    values = {key: _inner(item.get(key)) for key in (*_BYTES, *_EITHER)}
    url = next((text for text in values.values() if isinstance(text, str) and _is_url(text)), None)
    for key, value in values.items():
        source = _source(value, blobs)
        # A name that says base64 is believed; under the others only what begins as a picture does.
        if source and (key in _BYTES or not isinstance(source, bytes) or sniff_format(source[:16])):
            return Picture(source=source, url=url)
    return Picture(url=url) if url else None


def _inner(value: Any) -> Any:
    return value.get("url") if isinstance(value, dict) else value


def _source(value: Any, blobs: Mapping[int, Source]) -> Source | None:
    if isinstance(value, Blob):
        return None if value.broken else blobs.get(value.number)
    if isinstance(value, str) and value and not _is_url(value):
        return decode_base64(value)
    return None


def _is_url(value: str) -> bool:
    """Tell a URL, whole or from the root, from base64: a JPEG's begins with `/9j/`."""
    if value.startswith("/"):
        return not value.startswith("/9j/")
    return value[:8].lower().startswith(("http://", "https://"))


def _item_error(item: dict[str, Any]) -> OpeaiError:
    found: Problem | None = find_problem(item)
    if found is None and isinstance(item.get("message"), str) and item["message"]:
        found = problem_of(item["message"])
    if found is not None:
        return error_of(found, paid=False)
    broken = any(isinstance(value, Blob) and value.broken for value in item.values())
    return _failed(
        "The base64 of this picture is broken."
        if broken
        else "The platform sent an item with neither bytes nor a URL: this picture failed."
    )


def _failed(message: str) -> NoPictureError:
    return NoPictureError(message, advice="The other pictures of this generation are kept.")
