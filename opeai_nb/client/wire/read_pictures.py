"""Where the pictures of an answer are: which of its lists, objects and texts hold results.

    pictures_in   the first list of results; else what names itself a result; else an input's list
    found_in      these, what other lists surely add to them, and what is to be told of them
    listed_in     what lists hold alone: made, whatever a task's status says
    guessed_in    whatever may be a picture: the last resort, once nothing else says anything;
                  `sure_guesses` what surely is one

What one item of a list stands for is read in `read_item`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

from opeai_nb.client.http.picture_source import begins, bytes_of, is_one_of
from opeai_nb.client.http.picture_text import picture_bytes
from opeai_nb.client.protocol.steps import Blob
from opeai_nb.client.values.answer_notes import IN_DOUBT
from opeai_nb.client.values.picture import Picture
from opeai_nb.client.wire.error.item_error import failed
from opeai_nb.client.wire.error.reason import refusing_end
from opeai_nb.client.wire.links import links_in, may_be_picture
from opeai_nb.client.wire.read_documented import MOST_ITEMS
from opeai_nb.client.wire.read_item import read_item, read_items
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import INPUT_LISTS, leaves_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from opeai_nb.client.wire.unwrap import Places
    from opeai_nb.client.wire.unwrapped_answer import UnwrappedAnswer

FILTERED: Final = (
    "The platform says {!r} of what it made: a picture may be blurred or blank for that reason."
)
_SHORT: Final = 40
_ECHO: Final = "The answer repeats the input picture, and holds no other."
# What an object may say of itself; `image` last, for tasks repeat their input there.
_ALONE: Final = ("b64_json", "result_url", "sample", "image_url", "url", "inline_data", "image")
_RESULTS: Final = ("b64_json", "result_url", "sample")  # which no input is called


def pictures_in(answer: UnwrappedAnswer) -> list[Picture] | None:
    """Return the pictures of an answer, in order; [] for an empty list, None where none can be.

    The first list that holds a picture, else what an object or a wrapper names by itself
    (platform.md 5); lists that a request has as well come last, and an input that is repeated is
    no picture. Where all failed, the failures of the first list.
    """
    inputs = answer.inputs_by_name()
    pictures = _trusted(answer, inputs)
    is_good = any(picture.error is None for picture in pictures or ())
    return pictures if is_good or inputs <= answer.reply.known else _trusted(answer)


class Found(NamedTuple):
    """The pictures of an answer as `pictures_in` returns them, and what is to be told of them."""

    pictures: list[Picture] | None
    notes: tuple[str, ...] = ()


def found_in(answer: UnwrappedAnswer) -> Found:
    """Return the pictures of an answer, those of other lists among them that are surely results.

    Where others may be results, or inputs that are repeated, a note says so.
    """
    pictures = pictures_in(answer)
    good = [picture for picture in pictures or () if picture.error is None]
    if not good or pictures is None:
        return Found(pictures)
    told = " ".join(picture.error.message for picture in pictures if picture.error)
    notes = filtered_notes(_objects_in(answer.places), told)
    inputs = answer.inputs_by_name()
    is_in_doubt = False
    for name, items in answer.places.lists:
        listed = answer.without_inputs(_items_of(answer, items), inputs)
        listed = [picture for picture in listed if picture.error is None]
        new = _unknown(listed, good)
        if not new or _is_echo(name, new, good, answer) or _is_elsewhere(new, good, answer.wanted):
            continue
        is_result = not answer.may_repeat(name) and (
            len(new) < len(listed) or _fits(new, good, answer.wanted)
        )
        pictures, good = (pictures + new, good + new) if is_result else (pictures, good)
        is_in_doubt |= not is_result
    # Where there are too few, whatever else may be one is not dropped.
    is_short = len(good) < answer.wanted
    is_in_doubt |= is_short and bool(_unknown(guessed_in(answer), good))
    return Found(pictures, (IN_DOUBT, *notes) if is_in_doubt else notes)


def filtered_notes(objects: Iterable[Mapping[str, Any]], told: str = "") -> tuple[str, ...]:
    """Return what is to be told of pictures that one of some objects says were filtered.

    Nothing where the word for it stands in what is *told* already.
    """
    word = next(filter(None, map(_filtered, objects)), "")
    return (FILTERED.format(word[:_SHORT]),) if word and word not in told else ()


def _objects_in(places: Places) -> Iterator[Mapping[str, Any]]:
    yield from places.nodes
    for _, items in places.lists:
        yield from (item for item in items[:MOST_ITEMS] if isinstance(item, dict))


def _filtered(node: Mapping[str, Any]) -> str:
    """Return the word by which an object says that a picture was filtered; "" for none.

    Stability blurs it (`CONTENT_FILTERED`), fal blackens it (`has_nsfw_concepts`).
    """
    marks = (name for name, value in node.items() if "nsfw" in squeezed(name) and _is_yes(value))
    return refusing_end(node) or next(marks, "")


def _is_yes(value: Any) -> bool:
    return value is True or (isinstance(value, list) and any(each is True for each in value))


def _unknown(listed: list[Picture], good: list[Picture]) -> list[Picture]:
    """Return the pictures that are not among *good*, by their URL or their bytes."""
    urls = {picture.url for picture in good if picture.url}
    # Most answers have one list, which is met again here: its bytes are not to be hashed for that.
    here = {id(picture.source) for picture in good if picture.source is not None}
    new = [p for p in listed if p.url not in urls and id(p.source) not in here]
    if all(picture.source is None for picture in new):
        return new
    contents = {bytes_of(picture.source) for picture in good if picture.source is not None}
    return [p for p in new if not is_one_of(p.source, contents)]


def _is_echo(name: str, new: list[Picture], good: list[Picture], answer: UnwrappedAnswer) -> bool:
    """Tell a list that a request has as well, as long as what was sent, beside all results."""
    is_sent = answer.request is not None and len(new) <= len(answer.request.image)
    return is_sent and name in INPUT_LISTS and len(good) >= answer.wanted


def _is_elsewhere(new: list[Picture], good: list[Picture], wanted: int) -> bool:
    """Tell the pictures that are here already: in the other form, or under another address."""
    if len(new) != len(good) or len(good) < wanted:
        return False
    forms = [{picture.source is None for picture in each} for each in (new, good)]
    return forms[0].isdisjoint(forms[1]) or [*map(_file, new)] == [*map(_file, good)] != [""]


def _file(picture: Picture) -> str:
    """Return the last part of a picture's URL: a store and its CDN call a file the same."""
    try:
        return urlsplit(picture.url or "").path.rpartition("/")[2]
    except ValueError:
        return ""


def _fits(new: list[Picture], good: list[Picture], wanted: int) -> bool:
    """Tell whether *new* are as many as are missing of what was asked, and of the same form."""
    forms = {picture.source is None for picture in (*new, *good)}
    return len(forms) == 1 and len(good) + len(new) <= wanted


def _trusted(answer: UnwrappedAnswer, inputs: frozenset[str] = frozenset()) -> list[Picture] | None:
    failures: list[Picture] | None = [] if answer.places.lists else None
    for may_repeat, lists in enumerate(_by_trust(answer.places.lists)):
        for items in lists:
            listed = _items_of(answer, items)
            pictures = answer.without_inputs(listed, inputs, all_of_them=bool(may_repeat))
            if any(picture.error is None for picture in pictures):
                return pictures
            is_echo = len(pictures) < len(listed)
            failures = failures or pictures or ([Picture(error=failed(_ECHO))] if is_echo else [])
        if alone := answer.without_inputs(_named_alone(answer), inputs):
            return alone
    return failures


def _items_of(answer: UnwrappedAnswer, items: list[Any]) -> list[Picture]:
    has_no_input = answer.request is not None and not answer.is_of_edit
    return read_items(items, answer.reply.pictures, any_name=has_no_input)


def _by_trust(lists: Sequence[tuple[str, list[Any]]]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Return the lists that only results have, and those that repeat an input at times."""
    own = [items for name, items in lists if name not in INPUT_LISTS]
    return own, [items for name, items in lists if name in INPUT_LISTS]


def _named_alone(answer: UnwrappedAnswer) -> list[Picture]:
    """Return the picture that an object or a wrapper names by itself, the outermost first."""
    places, blobs = answer.places, answer.reply.pictures
    for names in (_RESULTS, _ALONE[:-1], _ALONE):
        for node in places.nodes:
            values = {name: node[name] for name in names if node.get(name)}
            pictures = read_item(values, blobs) if values else []
            if pictures and pictures[0].error is None:
                return pictures
    for text in places.texts:
        pictures = read_item(text, blobs)
        if pictures and pictures[0].error is None:
            return pictures
    return []


def listed_in(answer: UnwrappedAnswer) -> list[Picture]:
    """Return the pictures of lists alone: an object's own `url` or `image` may be its input."""
    inputs = _INPUTS_OF_EDITS if answer.is_of_edit else ()
    lists = [(name, items) for name, items in answer.places.lists if name not in inputs]
    return pictures_in(answer.with_lists(lists)) or []


_INPUTS_OF_EDITS: Final = frozenset({"image", "images", "image_urls", "files"})


def count_listed(answer: UnwrappedAnswer) -> int:
    """Count the good pictures of lists: these are made, whatever a status says."""
    return sum(picture.error is None for picture in listed_in(answer))


def sure_guesses(answer: UnwrappedAnswer) -> tuple[Picture, ...]:
    """Return what is surely a picture, under whatever name: its bytes, or the URL of its file.

    None in the answer to an edit, or where nobody knows what was asked: it may be an input.
    """
    if answer.request is None or answer.is_of_edit:
        return ()
    found = (p for p in guessed_in(answer) if p.source or PICTURE_FILE.fullmatch(p.url or ""))
    return tuple(found)


PICTURE_FILE: Final = re.compile(
    r"https?://[^?#\s]+\.(?:png|jpe?g|webp|avif)(?:[?#]\S*)?", re.IGNORECASE
)


def guessed_in(answer: UnwrappedAnswer) -> list[Picture]:
    """Return what may be a picture anywhere in a finished answer: URLs, and bytes that begin so."""
    blobs = answer.reply.pictures
    pictures: list[Picture] = []
    for leaf in leaves_in(answer.reply.body):
        if isinstance(leaf, Blob):
            source = None if leaf.broken else blobs.get(leaf.number)
            pictures += [Picture(source=source)] if source and begins(source) else []
        elif isinstance(leaf, str):
            data = picture_bytes(leaf)
            links = [] if data else [link for link in links_in(leaf) if may_be_picture(link)]
            pictures += [Picture(source=data)] if data else [Picture(url=link) for link in links]
    whole = [p for p in pictures if p.source or (p.url or "").lower().startswith("http")]
    unique = {picture.url or id(picture): picture for picture in whole}
    return answer.without_inputs(list(unique.values()), all_of_them=True)
