"""Where a picture comes from, told by its own file; and the received bytes, got back from it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.errors import InputError, LibraryError
from opeai_nb.formats import sniff_format
from opeai_nb.library.metadata import avif, exif, jpeg, png, webp
from opeai_nb.library.metadata.content_credentials import PRESENT, has_content_credentials
from opeai_nb.library.metadata.infotext import KEYWORD, infotext
from opeai_nb.library.metadata.iptc import iptc
from opeai_nb.library.records.input_files import find_inputs
from opeai_nb.library.records.record import ENDING, VERSION, moment_text, read_record
from opeai_nb.library.records.request_json import canonical, read_request
from opeai_nb.library.records.validate import UnusableRecordError, writable
from opeai_nb.plain_file import read_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

    from opeai_nb.client.values.request import ImageRequest
    from opeai_nb.library.records.record import KeptPicture, Record

_EDITORS: Final[Mapping[str, ModuleType]] = {
    "png": png,
    "jpeg": jpeg,
    "webp": webp,
    "avif": avif,
}
_KEPT_NAME = re.compile(r"(?P<stem>.+-[0-9a-f]{8})-(?P<number>\d+)\.\w+")


def provenance(record: Record, picture: KeptPicture, number: int) -> dict[str, Any]:
    """Return what the file of picture *number* (from 1) tells. Never a key, a path or a cell."""
    told = {
        "opeai_nb": VERSION,
        "id": record.id,
        "picture": number,
        "created": moment_text(record.created),
        "origin": record.origin,
        "request": dict(record.written),
        "size": list(picture.size) if picture.size else None,
        "revised_prompt": picture.revised_prompt,
        "differences": record.differences,
        "words": record.words,
        "usage": dict(record.usage) if record.usage is not None else None,
        "task_id": record.task_id,
        "request_id": record.request_id,
        "answered_model": record.stands.get("answered_model"),
        "toolkit": record.toolkit,
        "sha256": picture.sha256,
    }
    return {name: value for name, value in told.items() if value is not None}


def with_provenance(data: bytes, facts: Mapping[str, Any]) -> bytes:
    """Return a picture file with *facts* (see `provenance`) in metadata segments put into it.

    PNG, JPEG, WebP and AVIF; any other file is returned as it is, and so is one that carries
    content credentials: they bind its bytes. Nothing is encoded anew, and `received_bytes` gives
    *data* back: it knows it by the `sha256` in *facts*.
    """
    if (editor := _editor(data)) is None or has_content_credentials(data):
        return data
    digest = facts.get("sha256") or hashlib.sha256(data).hexdigest()
    told = canonical({**facts, "sha256": digest})
    inserted: bytes = editor.insert(data, told, infotext(facts), iptc(facts))
    return inserted


def received_bytes(data: bytes) -> bytes:
    """Return the bytes of a picture file as they were received, our segments taken out.

    A file that is not ours, or that was changed since, is returned as it is.
    """
    if (editor := _editor(data)) is None:
        return data
    known = {told.get("sha256") for told in _all_told(data)}
    for candidate in editor.without(data):
        if hashlib.sha256(candidate).hexdigest() in known:
            found: bytes = candidate
            return found
    return data


def file_info(path: Path) -> dict[str, Any]:
    """Return what a picture file tells, else its record beside it.

    Of one that carries content credentials, `content_credentials` says so in words. Raises
    `LibraryError` when nothing is known or the file is unreadable.
    """
    try:
        data = read_plain(path, links=True)
    except OSError as error:
        name = path.name or path
        raise LibraryError(f"The file {name} cannot be read: {error.strerror}.") from error
    signed = {"content_credentials": PRESENT} if has_content_credentials(data) else {}
    if (told := told_in(data)) is not None:
        return {**told, **signed}
    if (told := _from_record(path)) is not None:
        return {**told, **signed}
    if sniff_format(data[:16]) == "png" and (text := dict(png.texts(data)).get(KEYWORD)):
        return {KEYWORD: text, **signed}
    if signed:
        return signed
    raise LibraryError(
        f"{path.name} holds no record of how it was made.",
        advice="It was made by another tool, saved without metadata, or edited since.",
    )


def request_from(file: str | Path) -> ImageRequest:
    """Return the request that a picture file was made by, ready to be sent again.

    Input pictures are looked for in the library beside the file. Raises `LibraryError` when the
    file does not tell, or when an input picture is not there.
    """
    path = Path(file).expanduser()
    written = file_info(path).get("request")
    if not isinstance(written, dict):
        raise LibraryError(f"{path.name} holds no request.")
    try:
        images = find_inputs(path.parent, written.get("image", ()))
        return read_request(written, images)
    except (InputError, TypeError, AttributeError) as error:
        raise LibraryError(f"The request in {path.name} has been edited: {error}") from error


def _editor(data: bytes) -> ModuleType | None:
    return _EDITORS.get(sniff_format(data[:16]) or "")


def told_in(data: bytes) -> dict[str, Any] | None:
    """Return what a picture file tells; of several tellings the one that was put in last."""
    return writable(next(_all_told(data), None))  # type: ignore[no-any-return]  # JSON as it was


def _all_told(data: bytes) -> Iterator[dict[str, Any]]:
    if (editor := _editor(data)) is png:
        found = [_json(text) for name, text in png.texts(data) if name == png.OURS]
    else:
        found = [exif.told_in(block) for block in editor.blocks(data)] if editor else []
    yield from (told for told in found if told is not None)


def _json(text: str) -> dict[str, Any] | None:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _from_record(path: Path) -> dict[str, Any] | None:
    if (name := _KEPT_NAME.fullmatch(path.name)) is None:
        return None
    try:
        record = read_record(path.parent, f"{name['stem']}{ENDING}")
        number = int(name["number"])
        return provenance(record, record.pictures[number - 1], number)
    except (UnusableRecordError, IndexError):
        return None
