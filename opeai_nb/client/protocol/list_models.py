"""The models that the platform tells of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.protocol import schedule
from opeai_nb.client.protocol.query_task import again, query
from opeai_nb.client.protocol.steps import CutAnswer, Flow, Reply, Unsent
from opeai_nb.client.wire.error.classify_error import error_of
from opeai_nb.client.wire.error.read_error import read_problem
from opeai_nb.client.wire.redact import hide_in, value_without_key
from opeai_nb.errors import ConnectionLostError, OpeaiError, UnreachableError, UnreadableAnswerError

if TYPE_CHECKING:
    from opeai_nb.client.wire.endpoint import Endpoint


@dataclass(frozen=True)
class Model:
    """A model that the platform tells of. *async_only* is None where it does not say."""

    id: str
    owned_by: str | None = None
    async_only: bool | None = None
    description: str | None = None
    raw: dict[str, Any] = field(default_factory=dict, repr=False)


def models(endpoint: Endpoint) -> Flow[list[Model]]:
    """Return what `GET /v1/models` lists (platform.md 2.6); it may not be complete.

    Raises `UnreachableError` when no server takes it, `ConnectionLostError`, `ServerError` or
    `RateLimitError` when it keeps failing, and what any other answer means.
    """
    return (yield from again(lambda: _listed(endpoint)))


def _listed(endpoint: Endpoint) -> Flow[list[Model]]:
    try:
        reply: Reply = yield from query(endpoint, "/v1/models")
    except Unsent as failure:
        raise UnreachableError(
            f"The platform cannot be reached: {failure}.", advice=failure.advice
        ) from failure
    except CutAnswer as failure:
        raise ConnectionLostError(f"The list of models was cut off: {failure}.") from failure
    if (listed := models_in(reply)) is None:
        raise models_problem(reply)
    return listed


def models_problem(reply: Reply) -> OpeaiError:
    """Return why an answer is no list of models."""
    problem = read_problem(reply)
    if problem is None:
        return UnreadableAnswerError(
            "The answer is not a list of models.", advice=_NO_API, status_code=reply.status
        )
    error = error_of(problem, paid=False)
    if isinstance(error, UnreadableAnswerError):
        error.advice = _NO_API  # nothing is kept of it
    hide_in(error, reply.key)
    error.retry_after = schedule.retry_after(reply.headers)
    return error


_NO_API: Final = (
    "Check that OPEAI_BASE_URL is an image API and that no proxy or login page answers instead."
)


def models_in(reply: Reply) -> list[Model] | None:
    """Return the models that an answer lists; None where it is no list of them."""
    body = reply.body
    listed = body.get("data") if isinstance(body, dict) else body
    if not reply.is_success or not isinstance(listed, list):
        return None
    items = value_without_key(listed, reply.key)
    return [_model(item) for item in items if isinstance(item, dict) and item.get("id")]


def _model(item: dict[str, Any]) -> Model:
    features = item.get("features")
    async_only = features.get("async_only") if isinstance(features, dict) else None
    owner, description = item.get("owned_by"), item.get("description")
    return Model(
        id=str(item["id"]),
        owned_by=owner if isinstance(owner, str) else None,
        async_only=async_only if isinstance(async_only, bool) else None,
        description=description if isinstance(description, str) else None,
        raw=item,
    )
