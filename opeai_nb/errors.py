r"""Everything that can go wrong, as a tree.

    OpeaiError
    |-- InputError (ValueError)          bad input; nothing was sent
    |   |-- ImageInputError              a picture given as input cannot be used
    |   `-- OptionError                  an option of the magic, or a setting, is wrong
    |       `-- SessionLimitError        more pictures than this session was allowed
    |-- UnreachableError                 the request never arrived; nothing was paid
    |-- OutcomeUnknownError              a paid request was cut in flight; it may have been painted
    |-- ConnectionLostError              a free request (a poll, a list) was cut, again and again
    |-- AnswerError                      the platform answered, and the answer is a refusal
    |   |-- BadRequestError              400, 413, 422: the request is wrong
    |   |-- AuthenticationError          401: the key is missing, wrong or expired
    |   |-- PermissionDeniedError        403: the key may not do this
    |   |   `-- QuotaError               402, 403, 429 or Arrearage: the credit is used up
    |   |-- ModerationError              the prompt or the picture was refused for its content
    |   |-- NotFoundError                404: no such path
    |   |   |-- ModelNotFoundError       no channel serves this model (also sent as 503 or 200)
    |   |   `-- TaskExpiredError         the task is unknown, another user's, or older than 24 hours
    |   |-- RateLimitError               429: too many requests
    |   `-- ServerError                  5xx on a free request
    |-- UnreadableAnswerError            an answer that is no JSON, or that says nothing we know
    |-- TaskFailedError                  the task ended without a picture
    |-- TaskTimeoutError (TimeoutError)  we stopped waiting; the task goes on and can be fetched
    |-- NoPictureError                   success was reported, and no picture came
    |-- DownloadError                    a picture's URL could not be fetched
    |   `-- RefusedDownloadError         a picture's URL leads where we do not go
    |-- JobStoppedError                  somebody stopped waiting for this job
    `-- LibraryError                     the library folder cannot be read or written

Each error carries its evidence: `status_code code type message request_id task_id request pictures`
and `advice`, the next step. `str(error)` is the message and the advice: no id, second or port
stands in it, so that a notebook test can compare it; those stand in the attributes and in the
traceback lines that a notebook shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from opeai_nb.printable import printable, printable_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


def did_you_mean(
    name: str,
    names: Iterable[str],
    *,
    shape: str = "{!r}",
    likeness: float = 0.6,
    elsewhere: Mapping[str, str] | None = None,
) -> str:
    """Return ` Did you mean 'size'?` for the nearest of *names*; empty where none is near.

    *shape* is how the name is written there; *likeness*, 0 to 1, is what counts as near;
    *elsewhere* says what some names of other tools are here.
    """
    from difflib import get_close_matches

    if elsewhere and name in elsewhere:
        return f" Did you mean {shape.format(elsewhere[name])}?"
    near = get_close_matches(name, sorted(names), n=1, cutoff=likeness)
    return f" Did you mean {shape.format(near[0])}?" if near else ""


class Answer(bytes):
    """A body as it came. Its repr is its size alone: a server may have said anything in it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<answer: {len(self)} bytes>"


class OpeaiError(Exception):
    """The root of all errors of this toolkit.

    *message* says what happened, *advice* what to do next; the rest is evidence:
    *status_code* (HTTP), *code* and *type* (the platform's words), *request_id* (for its support),
    *task_id* (to fetch the task later), *request* (what was asked), *pictures* (what came before
    the failure).
    """

    default_advice: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        advice: str | None = None,
        status_code: int | None = None,
        code: str | None = None,
        type: str | None = None,  # noqa: A002  the platform's own name of the field
        request_id: str | None = None,
        task_id: str | None = None,
        request: Any = None,
        pictures: Sequence[Any] = (),
    ) -> None:
        message = printable_line(message)  # a server's words stand in many of them
        super().__init__(message)
        self.message = message
        self.advice = self.default_advice if advice is None else advice
        self.status_code = status_code
        self.code = code
        self.type = type
        self.request_id = request_id
        self.task_id = task_id
        self.request = request
        self.pictures = tuple(pictures)
        self.answer: Answer | None = None
        """The answer as it came, where it is paid for and could not be turned into its pictures.

        A placeholder stands where a server repeated the API key.
        """
        self.retry_after: float | None = None
        """The pause in seconds that the platform asked for, where it did."""
        self.idempotency_key: str | None = None
        """What a paid request was sent with: sending it again with this key is the same request."""

    def __str__(self) -> str:
        return printable(f"{self.message} {self.advice}".strip())

    def evidence(self) -> str:
        """Return status, code and ids in one line, for the traceback and for support."""
        known = {
            "HTTP": self.status_code,
            "code": self.code,
            "task": self.task_id,
            "request id": self.request_id,
        }
        return printable_line(" · ".join(f"{k} {value}" for k, value in known.items() if value))

    def _render_traceback_(self) -> list[str]:
        """Give IPython a short traceback: what happened, then the next step with the evidence."""
        lines = [f"{type(self).__name__}: {self.message}"]
        step = " ".join(filter(None, [self.advice, f"({self.evidence()})" * bool(self.evidence())]))
        return [printable(line) for line in ([*lines, f"  → {step}"] if step else lines)]


class InputError(OpeaiError, ValueError):
    """Something in the request is wrong; nothing was sent."""

    default_advice = "Nothing was sent."


class ImageInputError(InputError):
    """A picture given as input cannot be read or used; nothing was sent."""


class OptionError(InputError):
    """An option of the magic, or a setting, is wrong; nothing was sent."""


class SessionLimitError(OptionError):
    """The request would pass the number of pictures that this session was allowed; not sent."""

    default_advice = "Allow it once with --yes, or raise the limit with %config Imagine."


class UnreachableError(OpeaiError):
    """The platform could not be reached: the request never arrived and nothing was paid."""

    default_advice = (
        "Nothing was sent, so nothing was paid. "
        "Check the network and OPEAI_BASE_URL, then run again."
    )


class OutcomeUnknownError(OpeaiError):
    """A paid request was cut in flight: it may have been painted and paid for.

    It was not sent again. `pictures` holds what was complete before the cut.
    """

    is_of_earlier_run = False
    """True where an earlier run was cut, and this one sent nothing: the platform may be well."""
    default_advice = (
        "It may have been painted and paid for, so it was not sent again; `%imagine tasks` tells "
        "what can be done."
    )


class ConnectionLostError(OpeaiError):
    """A free request (a poll or a list) was cut or stalled, and so were its retries."""

    default_advice = "Nothing is lost: run it again when the network is back."


class AnswerError(OpeaiError):
    """The platform answered, and the answer is an error."""

    default_advice = "Fix what the message mentions; the request id helps the platform's support."


class BadRequestError(AnswerError):
    """The platform says that the request is wrong (400, 413, 422)."""

    default_advice = "Fix what the message mentions and run again; no picture was made."


class AuthenticationError(AnswerError):
    """The key is missing, wrong, expired or exhausted (401)."""

    default_advice = "Set OPEAI_API_KEY to a valid key of the platform and run again."


class PermissionDeniedError(AnswerError):
    """The key may not do this: a model it may not use, a list of addresses, a ban (403)."""

    default_advice = "Ask the platform's owner to allow it for this key, or use another model."


class QuotaError(PermissionDeniedError):
    """The account's credit or quota is used up."""

    default_advice = "Top up the account or use another key, then run again."


class ModerationError(AnswerError):
    """The prompt or the picture was refused for its content."""

    default_advice = "Word the prompt differently, or use another input picture."


class NotFoundError(AnswerError):
    """The platform has no such path (404)."""

    default_advice = "Check OPEAI_BASE_URL."


class ModelNotFoundError(NotFoundError):
    """No channel of the platform serves this model (404, 503 or 200 with `model_not_found`)."""

    default_advice = "Choose another model; client.models() lists those that the platform names."


class TaskExpiredError(NotFoundError):
    """The task is unknown, another user's, or older than the 24 hours that results are kept."""

    default_advice = (
        "It may be another key's, or older than the 24 hours that results are kept: check "
        "OPEAI_API_KEY and OPEAI_BASE_URL. `%imagine resume` asks again, `%imagine forget` "
        "drops it."
    )


class RateLimitError(AnswerError):
    """Too many requests (429)."""

    default_advice = "Nothing was painted. Wait a moment, then run again."


class ServerError(AnswerError):
    """The platform failed (5xx) on a free request, and on its retries."""

    default_advice = "Nothing is lost: try again later."


class UnreadableAnswerError(OpeaiError):
    """The answer is not JSON, or JSON that says nothing that we know."""

    default_advice = (
        "Check that OPEAI_BASE_URL is an image API and that no proxy or login page answers "
        "instead. What came is kept in error.answer, and in a library's journal: `%imagine resume` "
        "reads it again, also after an update."
    )


class TaskFailedError(OpeaiError):
    """The task ended without a picture; `message` is the platform's reason."""

    default_advice = (
        "The platform says that it made no picture. Fix what the message mentions before you "
        "send a new request; the task id helps the platform's support."
    )


class TaskTimeoutError(OpeaiError, TimeoutError):
    """We stopped waiting; the task goes on at the platform and can be fetched for 24 hours."""

    default_advice = (
        "The task goes on and is kept for 24 hours: wait for it by its task_id, or allow more time."
    )


class NoPictureError(OpeaiError):
    """The platform reported success, and no picture came with it."""

    default_advice = (
        "What came is kept in error.answer, and in a library's journal: `%imagine resume` reads it "
        "again, also after an update. It may have been paid for."
    )


class DownloadError(OpeaiError):
    """A picture was made, and its URL could not be fetched; the URL is kept in `url`."""

    default_advice = "The picture exists: fetch it again before its URL expires."

    def __init__(self, message: str, *, url: str | None = None, **evidence: Any) -> None:
        super().__init__(message, **evidence)
        self.url = url


class RefusedDownloadError(DownloadError):
    """A picture's URL leads to a private address, or is no http(s) URL; it was not followed."""

    default_advice = "If you trust that host, add it to allow_hosts."


class JobStoppedError(OpeaiError):
    """Somebody stopped waiting for this job; what was sent goes on at the platform."""

    default_advice = "Its task, if there is one, is kept by the platform for 24 hours."


class LibraryError(OpeaiError):
    """The library folder cannot be read or written."""
