"""What became of one point: a generation, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from traceback import clear_frames
from typing import TYPE_CHECKING, Any, Final, Literal

from opeai_nb.errors import JobStoppedError, OpeaiError, OutcomeUnknownError

if TYPE_CHECKING:
    from opeai_nb.bulk.batch.copies import Copy
    from opeai_nb.client.values.generation import Generation

State = Literal["done", "replayed", "failed", "unknown", "stopped"]
GOOD: Final = ("done", "replayed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one point.

    *state* is `done` (sent, or finished from the journal), `replayed`, `failed`, `unknown` (sent,
    and nobody can tell whether it was carried out) or `stopped`. *generation* holds the pictures,
    *error* the reason why there are none, *value* what the function given as `then` made of them
    (*is_handed_on* where it ended well), *id* is that of the record. *copies* are those under the
    names that the row gives; *names* those of the pictures in the library.
    """

    state: State
    generation: Generation | None = None
    error: OpeaiError | None = None
    value: Any = None
    id: str | None = None
    is_handed_on: bool = False
    copies: tuple[Copy, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def is_good(self) -> bool:
        """True where there are pictures."""
        return self.generation is not None

    @property
    def reason(self) -> str:
        """Why there are no pictures, for a person; the same on every run."""
        return "" if self.error is None else self.error.message

    @property
    def files(self) -> list[str]:
        """The names of the picture files in the library; of copies where the row names them."""
        if self.copies:
            return [copy.name for copy in self.copies]
        return [*self.names]


def failed(error: OpeaiError) -> Outcome:
    """Return the outcome of a request that ended with *error*."""
    unknown = isinstance(error, OutcomeUnknownError)
    return Outcome("unknown" if unknown else "failed", error=error)


def stopped() -> Outcome:
    """Return the outcome of a point that was not begun."""
    error = JobStoppedError(
        "It was not sent.", advice="Running it again sends what is missing, and nothing else."
    )
    return Outcome("stopped", error=error)


def let_frames_go(error: BaseException | None) -> None:
    """Let go what was in hand where an error was raised: answers, decoded pictures.

    An error is kept with its point, and the frames of one hold 17 kB, or a picture that the user's
    own function had opened. Where such a function raised it is still told.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OpeaiError):
            error.__traceback__ = None
        else:
            clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
