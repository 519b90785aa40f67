"""What a flow yields and what it receives: the words between decisions and shells.

A flow is a generator. It yields a step and receives its answer:

    Call      -> Reply       one HTTP exchange; `Unsent` or `CutAnswer` is thrown in when it fails
    Sleep     -> float       a pause in seconds; then the clock
    Now       -> float       the clock: seconds of a clock that never goes back
    Resolve   -> addresses   the IP addresses of a host, or none where the check does not apply
    Together  -> results     several flows at once, each result in its place
    Task      -> None        a snapshot, for whoever watches
    Returned  -> None        what left is not under way any more, for whoever keeps a journal

The two shells obey; no `if` about the protocol stands in them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeVar

from opeai_nb.client.values.task import Task
from opeai_nb.errors import Answer

if TYPE_CHECKING:
    from opeai_nb.secret import Secret

Source = bytes | Path
"""The bytes of a picture, or the file that holds them."""


class Piece(NamedTuple):
    """Some bytes of the picture with this number."""

    number: int
    data: bytes


class PictureEnd(NamedTuple):
    """The picture with this number is complete."""

    number: int


@dataclass(frozen=True)
class Blob:
    """Stands in a body where the text of a picture stood; *number* tells which one."""

    number: int
    broken: bool = False


Event = Piece | PictureEnd


class Sending(Protocol):
    """Whoever keeps a journal of paid requests; what it raises keeps the request from leaving."""

    async def leaves(self) -> None:
        """Take note that the first byte leaves now: a connection is there."""

    async def returned(self, why: str) -> None:
        """Take note that nothing is under way any more, before the pause that follows."""


class Reader(Protocol):
    """Reads a body as it arrives; pure and incremental."""

    def feed(self, chunk: bytes) -> Iterable[Event]:
        """Take some bytes of the body; return what they say about pictures."""

    def finish(self) -> Iterable[Event]:
        """Say that the body is over; return what that completes."""

    def body(self, charset: str | None = None) -> Any:
        """Return what the body means, a `Blob` for each picture; *charset* is as declared."""

    def raw(self, pictures: Mapping[int, Source]) -> bytes:
        """Return the body as it came, with the *pictures*, whole or in part."""

    def drafts(self) -> frozenset[int]:
        """Return the numbers of the pictures that are frames of one still being painted."""


@dataclass(frozen=True)
class Call:
    """One HTTP exchange.

    *with_key* adds the Authorization header, *as_written* keeps the URL's own encoding.
    *read_timeout* is the longest silence, *longest* the time for the whole exchange, head and body,
    *patience* the time that somebody has for it, the wait for a turn included, all in seconds;
    None: as long as it takes, because what is paid for is never cut. *addresses* are the only ones
    that are connected to, where there are some.
    """

    method: str
    url: str
    reader: Callable[[], Reader]
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)
    with_key: bool = True
    as_written: bool = False
    read_timeout: float = 60.0
    longest: float | None = None
    patience: float | None = None
    addresses: tuple[str, ...] = ()

    @property
    def seconds(self) -> float | None:
        """The time for the exchange itself; None for one without an end."""
        if self.longest is None or self.patience is None:
            return self.patience if self.longest is None else self.longest
        return min(self.longest, self.patience)


class Sleep(NamedTuple):
    """A pause."""

    seconds: float


class Now(NamedTuple):
    """What the clock says."""


LOOKUP_TIMEOUT: Final = 10.0
"""Seconds for a name server."""


class Resolve(NamedTuple):
    """The IP addresses of *host*, looked up within so many *seconds*."""

    host: str
    seconds: float = LOOKUP_TIMEOUT


class Returned(NamedTuple):
    """A paid request never arrived, or was refused: a pause follows, and it is sent again."""

    why: str


class Together(NamedTuple):
    """Several flows, each obeyed to its end."""

    flows: tuple[Flow[Any], ...]


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read to its end.

    *body* is what the call's reader made of it: parsed JSON with a `Blob` for each picture, or
    `Documents`, `NotJson`, or the beginning of a page. *pictures* holds what the blobs stand for,
    by number.
    Header names are in lower case. *clock* is in seconds. All of it is as it came, for it is used:
    *key* is what must be taken out of whatever is shown. *raw* gives the body back as it came,
    within `MAX_RAW_BYTES`. *known* are URLs that are no results: they were there before these.
    """

    status: int
    # Not shown, for a server may have echoed the key in any of it, and debuggers show locals.
    headers: Mapping[str, str] = field(repr=False)
    body: Any = field(repr=False)
    pictures: Mapping[int, Source] = field(default_factory=dict, repr=False)
    clock: float = 0.0
    key: Secret | None = field(default=None, repr=False)
    raw: Callable[[], bytes] = bytes
    known: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def is_success(self) -> bool:
        """Whether HTTP says so; what an envelope says is another matter."""
        return self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def is_redirect(self) -> bool:
        """Whether it is a redirect, with or without the place where it leads."""
        return HTTPStatus.MULTIPLE_CHOICES <= self.status < HTTPStatus.BAD_REQUEST

    def answer(self) -> Answer:
        """Return the body as it came, to be kept: with a placeholder where the key stands."""
        raw = self.raw()
        return Answer(raw if self.key is None else self.key.hidden(raw))


@dataclass(frozen=True)
class NotJson:
    """A body that is no JSON; *text* is its beginning.

    *is_open*: a bracket has no end in it; *whole* is then the value of what came before the cut.
    """

    text: str = field(repr=False)
    is_open: bool = False
    whole: Any = field(default=None, repr=False)


@dataclass(frozen=True)
class Documents:
    """A body of several JSON values: an event stream that nobody asked for, or lines of JSON."""

    values: tuple[Any, ...] = field(repr=False)


class Unsent(Exception):  # noqa: N818  a word of the protocol between shell and flow, no error
    """The request never left: no connection could be made. *advice* is the way out, if known."""

    def __init__(self, reason: str, advice: str | None = None) -> None:
        super().__init__(reason)
        self.advice = advice


class CutAnswer(Exception):  # noqa: N818  a word of the protocol between shell and flow, no error
    """The connection broke, stalled or lied after the request may have left."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.status: int | None = None
        self.pictures: tuple[Source, ...] = ()
        """What was complete before."""
        self.reply: Reply | None = None
        """What had arrived of the answer; the connection may break behind its last brace."""
        self.answer: Callable[[], Answer] = Answer
        """Gives what had arrived as it came, to be kept."""


class Damaged(CutAnswer):
    """The answer came, and what it is packed in is not whole: all of it may have come through."""


class Dripped(CutAnswer):
    """The answer went on, and was given up: it took too long as a whole."""


Result = TypeVar("Result")
Step = Call | Sleep | Now | Resolve | Together | Task | Returned
Flow = Generator[Step, Any, Result]
