"""Fetching one picture from its URL: where we go, where we do not, and what counts as a picture.

download        follows redirects, and the URL in JSON that came in a picture's place
  check          where a URL may lead: http(s), no private network; what is connected to
  _get            asks, and asks again for what is not there yet, or failed in passing
  _picture_in     what came, where it is a picture; `_refused_by_server` says why it is none
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from opeai_nb.client.http.json_reader import JsonReader
from opeai_nb.client.http.picture_reader import PictureReader
from opeai_nb.client.http.picture_source import begins, bytes_of, first_bytes
from opeai_nb.client.http.picture_text import picture_bytes
from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.download_deadline import ATTEMPTS, pause_before, time_left
from opeai_nb.client.protocol.download_target import (
    ESCAPED,
    ON_ITS_DISK,
    OWN_DISK,
    as_meant,
    check,
    joined,
)
from opeai_nb.client.protocol.steps import (
    Call,
    CutAnswer,
    Dripped,
    Flow,
    NotJson,
    Now,
    Reply,
    Unsent,
)
from opeai_nb.client.values.picture_end import ends_whole, is_cut_short
from opeai_nb.client.wire.error.page_text import NO_WORDS, first_line, is_readable, words_of_page
from opeai_nb.client.wire.error.read_error import problem_of
from opeai_nb.client.wire.error.reason import reason_anywhere
from opeai_nb.client.wire.read_pictures import pictures_in
from opeai_nb.client.wire.redact import without_key
from opeai_nb.client.wire.unwrap import says_running, unpacked
from opeai_nb.client.wire.unwrapped_answer import unwrapped
from opeai_nb.errors import DownloadError, OpeaiError
from opeai_nb.formats import sniff_format
from opeai_nb.printable import printable_line

if TYPE_CHECKING:
    from opeai_nb.client.protocol.steps import Source
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.wire.endpoint import Endpoint

_HOPS: Final = 5  # a short link, a store, its CDN; browsers allow 20, and none needs them
_READ_TIMEOUT: Final = 60.0  # seconds of silence
_LONGEST: Final = 600.0
"""Seconds for one picture: 10 MB at 17 KB/s."""


def download(endpoint: Endpoint, picture: Picture, seconds: float | None = None) -> Flow[Picture]:
    """Return *picture* with its bytes, or with the error that says why they could not be had.

    All of it takes so many *seconds* at most; None: as many as a slow line needs. Without the
    Authorization header, over http(s) only, redirects followed by the same rules, the URL's
    signature untouched, tried again when the network or the server fails in passing. What came
    decides what it is; an HTML or XML page is no picture (platform.md 7). Never raises.
    """
    try:
        return (yield from _download(endpoint, picture, seconds))
    except OpeaiError as error:
        if picture.said:
            words = problem_of(picture.said).message[:_SAYS_ENOUGH]
            error.message = printable_line(f"{error.message} The answer says: {words!r}.")
        return replace(picture, error=error)


_SAYS_ENOUGH: Final = 300


def _download(endpoint: Endpoint, picture: Picture, seconds: float | None) -> Flow[Picture]:
    url = joined(endpoint.base_url + "/", as_meant(picture.url or ""))
    now: float = yield Now()
    until = None if seconds is None else now + seconds
    is_fresh = picture.seen is not None and now - picture.seen < _FRESH
    for _ in range(_HOPS):
        addresses = yield from check(endpoint, url, until)
        asked = _Asked(replace(_CALL, url=url, addresses=addresses), until, picture.url or "")
        may_be_escaped = ESCAPED.search(url) is not None
        reply: Reply = yield from _get(endpoint, asked, is_fresh=is_fresh and not may_be_escaped)
        if may_be_escaped and 400 <= reply.status < 500:  # noqa: PLR2004  it is refused as it stands
            url = ESCAPED.sub("&", url)
            continue
        target = reply.headers.get("location")
        if reply.is_redirect and target:
            url = joined(url, target)
            continue
        if not reply.is_success:
            raise _refused_by_server(reply, url, picture.url or "", is_fresh=is_fresh)
        if reply.body.lstrip()[:1] == "{" and 0 not in reply.pictures:
            named = yield from _named_in_json(asked, reply)
            if named.source is not None:
                return replace(picture, source=named.source)
            url = joined(url, named.url or "")
            continue
        return replace(picture, source=_picture_in(reply, url))
    raise DownloadError("The picture's URL redirects too many times.", url=url)


def _named_in_json(asked: _Asked, reply: Reply) -> Flow[Picture]:
    """Return what the JSON names that came in a picture's place: its bytes, or its URL.

    Of a long one only the beginning is here: it is asked for once more, and read as an answer.
    """
    url, body = asked.call.url, unpacked(reply.body)
    if not isinstance(body, dict):
        call = replace(asked.call, reader=JsonReader)
        try:
            reply = yield replace(call, patience=(yield from time_left(asked.until, url)))
        except (Unsent, CutAnswer) as failure:
            message = f"The picture could not be downloaded: {failure}."
            raise DownloadError(message, url=url) from failure
        body = reply.body
    listed = replace(reply, body=body if isinstance(body, dict) else [body])
    found = pictures_in(unwrapped(listed))
    named = next((each for each in found or () if each.error is None), None)
    if named is None:
        text = body.text if isinstance(body, NotJson) else str(body)
        told = problem_of(reason_anywhere(body) or first_line(text)).message
        told = without_key(told, reply.key)
        raise DownloadError(f"JSON came instead of the picture: {told}.", url=url)
    return named


_CALL: Final = Call(
    "GET",
    "",
    PictureReader,
    with_key=False,
    as_written=True,
    read_timeout=_READ_TIMEOUT,
    longest=_LONGEST,
)


@dataclass(frozen=True)
class _Asked:
    """A picture that is asked for, *until* the clock says so; *written* is its URL as it came."""

    call: Call
    until: float | None
    written: str


def _get(endpoint: Endpoint, asked: _Asked, *, is_fresh: bool) -> Flow[Reply]:
    call, url = asked.call, asked.call.url
    for attempt in range(1, ATTEMPTS + 1):
        wish = None
        try:
            reply: Reply = yield replace(call, patience=(yield from time_left(asked.until, url)))
        except (Unsent, CutAnswer) as failure:
            if isinstance(failure, CutAnswer) and (data := _all_of_it(failure)):
                return Reply(200, {}, "", {0: data})
            error = DownloadError(f"The picture could not be downloaded: {failure}.", url=url)
            error.__cause__ = failure
            if isinstance(failure, Dripped):  # from the start again, it would be no quicker
                raise error from failure
        else:
            if reply.status in _WANTS_KEY and not call.with_key and endpoint.is_own(url):
                # A picture on the API's own origin may need its key; nobody else ever gets it.
                call = replace(call, with_key=True)
                continue
            is_awaited = is_fresh and _is_awaited(reply) and attempt < ATTEMPTS
            if not (is_awaited or _may_pass(reply, is_fresh=is_fresh) or _is_cut_short(reply)):
                return reply
            wish = schedule.retry_after(reply.headers)
            if not reply.is_success:
                error = _refused_by_server(reply, url, asked.written, is_fresh=is_fresh)
            else:
                error = DownloadError("The picture ends in the middle.", url=url)
                error.answer = reply.answer()
        if attempt == ATTEMPTS:
            raise error
        pause = schedule.backoff(attempt, 0.5) if wish is None else wish
        yield from pause_before(min(schedule.LONGEST_PAUSE, pause), asked.until, error)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _all_of_it(failure: CutAnswer) -> bytes | None:
    """Return a picture that has come to its end before the connection broke."""
    data = bytes(failure.answer()) if failure.status == 200 else b""  # noqa: PLR2004  OK
    return data if ends_whole(data) else None


_FRESH: Final = 60.0
"""Seconds for which a URL may not be known everywhere yet: content networks take their time."""
_WANTS_KEY: Final = frozenset({401, 403})
_NOT_YET: Final = frozenset({403, 404, 409, 425})


def _may_pass(reply: Reply, *, is_fresh: bool) -> bool:
    """Tell a failure that may be over in a moment."""
    status = reply.status
    return status in {408, 429} or status >= 500 or (is_fresh and status in _NOT_YET)  # noqa: PLR2004  the server's own failures


def _is_awaited(reply: Reply) -> bool:
    """Tell a success in which there is nothing yet, or that says so."""
    source = reply.pictures.get(0)
    if not reply.is_success or (source is not None and begins(source)):
        return False
    text = reply.body.strip()
    body = unpacked(text) if text[:1] == "{" else None
    return reply.status == 202 or not text or says_running(body)  # noqa: PLR2004  Accepted


def _is_cut_short(reply: Reply) -> bool:
    """Tell a picture whose end is missing, where no length says how long it should be."""
    source = reply.pictures.get(0)
    is_told = "content-length" in reply.headers and reply.status != 206  # noqa: PLR2004  a part of it
    return source is not None and not is_told and is_cut_short(source)


def _picture_in(reply: Reply, url: str) -> Source:
    source = reply.pictures.get(0)
    head = first_bytes(source) if source is not None else b""
    if source is not None and sniff_format(head) is not None:
        return source
    if source is not None and (data := _as_text(source, head)) is not None:
        return data
    if source is None and not reply.body.strip():
        raise DownloadError("The picture's URL returned nothing.", url=url)
    words = _words_in(reply)
    if source is None:
        told = words or NO_WORDS
        raise DownloadError(f"A web page came instead of the picture: {told}.", url=url)
    words = words[:80] or "bytes of no known format"
    error = DownloadError(f"What came from the picture's URL is no picture: {words}.", url=url)
    error.answer = reply.answer()
    if isinstance(source, Path):
        source.unlink(missing_ok=True)
    raise error


def _words_in(reply: Reply) -> str:
    """Return what came as text says, without the key; empty for bytes, and a page without any."""
    words = words_of_page(reply.body)
    return without_key(words, reply.key) if is_readable(words) else ""


def _as_text(source: Source, head: bytes) -> bytes | None:
    """Return the picture behind a byte order mark or line ends, or whose base64 came; else None."""
    is_behind = sniff_format(head.lstrip(_IN_FRONT)) is not None
    if not is_behind and (not head.isascii() or b" " in head[:100]):
        return None
    data = bytes_of(source)
    picture = (
        data.lstrip(_IN_FRONT) if is_behind else picture_bytes(data.decode("ascii", "replace"))
    )
    if picture is not None and isinstance(source, Path):
        source.unlink(missing_ok=True)
    return picture


_IN_FRONT: Final = b"\xef\xbb\xbf\r\n"
"""What scripts that serve a file print before it, by mistake; no picture begins so."""


def _refused_by_server(reply: Reply, url: str, written: str, *, is_fresh: bool) -> DownloadError:
    told = problem_of(_words_in(reply)).message
    return DownloadError(
        f"The picture's URL was refused{': ' + told if told else ''}.",
        url=url,
        status_code=reply.status,
        advice=_advice(reply.status, written, is_fresh=is_fresh),
    )


def _advice(status: int, written: str, *, is_fresh: bool) -> str | None:
    """Return what helps with a URL that is refused; None for the advice of the class."""
    if OWN_DISK.match(written):
        return ON_ITS_DISK
    if status not in {403, 404, 410}:
        return None
    if is_fresh:
        return "It is not there yet, or not for everybody: `%imagine resume` fetches it later."
    return "It may have expired: such URLs last for 24 hours at most, many for an hour."
