"""Models that misbehave on purpose, in process as over a socket.

========================== =====================================================================
name                       what it does
========================== =====================================================================
`rehearsal-slow`         a task of 12 seconds that queues for 2 and then tells its progress
`rehearsal-failed`       a task that reaches 40 % and ends as FAILURE with a reason
`rehearsal-expired`      a task that, once done, is not found: as if its 24 hours were over
`rehearsal-moderation`   400 `moderation_blocked`: the safety system refuses every prompt
`rehearsal-rate-limited` 429 twice for each request (the second with an empty body), then fine
`rehearsal-partial`      every second item failed: one with an `error`, the next with no picture
`rehearsal-empty`        200 whose items have both `url` and `b64_json` empty
`rehearsal-dropped`      the connection drops at 60 % of the body; sent again with the same
                           Idempotency-Key, the whole answer comes
`rehearsal-502`          a 502 with an HTML page from a proxy
`rehearsal-stalled`      half of the body, then silence for 10 minutes
`rehearsal-envelope`     a task in another gateway's words: `code` 200, `taskId`, `state`,
                         `resultJson`
`rehearsal-cdn`          picture URLs that are 404 the first time, as on a CDN that is not there
                         yet, and then come with `Content-Encoding: aws-chunked`, intact
`rehearsal-hiccup`       a task whose second query is answered 400, and all others as they should
`rehearsal-stream`       an event stream, although `stream` was not asked for
`rehearsal-no-image`     a gateway that drops `image`: a plain generation instead of the edit
`rehearsal-no-task`      a proxy that knows no tasks: of each it makes an empty `data`
`rehearsal-location`     a task whose POST answers 202 with a `Location` and no body
`rehearsal-spelling`     base64 with its `data:` prefix written twice, and a raw line break in a
                           string of the JSON
========================== =====================================================================

All times are multiplied by the engine's *time_scale*. Facts: platform.md 2.3 (empty and failed
items), 2.5 (429), 4.1 (moderation), 7 (HTML errors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opeai_nb.engine.api.error_envelope import ApiError


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How one rehearsal model misbehaves."""

    description: str
    seconds: tuple[float, float] | None = None
    """For a task: how long it queues, and how long until it ends."""
    fate: str = "success"
    """For a task: `success`, `failure` or `expired`."""
    form: str | None = None
    """The only form of its pictures: `url` or `b64_json`."""
    drops_images: bool = False


REHEARSALS: Final[dict[str, Rehearsal]] = {
    "rehearsal-slow": Rehearsal(
        "Rehearsal: a task of 12 seconds, the first two of them queued.", seconds=(2.0, 12.0)
    ),
    "rehearsal-failed": Rehearsal(
        "Rehearsal: a task that fails, with a reason.", seconds=(0.5, 1.5), fate="failure"
    ),
    "rehearsal-expired": Rehearsal(
        "Rehearsal: a task that cannot be found once it is done.",
        seconds=(0.5, 1.5),
        fate="expired",
    ),
    "rehearsal-moderation": Rehearsal("Rehearsal: the safety system refuses every prompt."),
    "rehearsal-rate-limited": Rehearsal(
        "Rehearsal: each request is refused twice as too many (429)."
    ),
    "rehearsal-partial": Rehearsal("Rehearsal: every second picture of a request fails."),
    "rehearsal-empty": Rehearsal("Rehearsal: an answer whose items hold no picture."),
    "rehearsal-dropped": Rehearsal("Rehearsal: the connection drops in the middle of the answer."),
    "rehearsal-502": Rehearsal("Rehearsal: a proxy's error page (502) comes instead."),
    "rehearsal-stalled": Rehearsal("Rehearsal: half of the answer, then silence."),
    "rehearsal-envelope": Rehearsal(
        "Rehearsal: a task in another gateway's words.", seconds=(0.5, 1.5)
    ),
    "rehearsal-cdn": Rehearsal(
        "Rehearsal: pictures that are not there at first (404).", form="url"
    ),
    "rehearsal-hiccup": Rehearsal(
        "Rehearsal: a task whose second status query fails (400).", seconds=(0.5, 2.5)
    ),
    "rehearsal-stream": Rehearsal(
        "Rehearsal: an event stream that nobody asked for.", form="b64_json"
    ),
    "rehearsal-no-image": Rehearsal("Rehearsal: the input picture is dropped.", drops_images=True),
    "rehearsal-no-task": Rehearsal(
        "Rehearsal: a proxy that empties the task's answer.", seconds=(0.5, 1.5)
    ),
    "rehearsal-location": Rehearsal(
        "Rehearsal: a task that is named in a header alone.", seconds=(0.5, 1.5)
    ),
    "rehearsal-spelling": Rehearsal("Rehearsal: an answer that is spelt oddly.", form="b64_json"),
}

CUT_AT: Final = 0.6  # so that of two pictures the first is whole
STALL_SECONDS: Final = 600.0  # longer than any client's read timeout
FAILED_PROGRESS: Final = 40  # per cent: far enough to show that progress promises nothing
FAILED_CODE: Final = "generation_failed"
FAILED_MESSAGE: Final = "rehearsal: the upstream model gave up on this picture"
RATE_LIMITS: Final = 2  # of the four repeats that a patient client makes
BAD_GATEWAY: Final = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>nginx</center>\r\n"
    b"</body>\r\n</html>\r\n"
)


def moderation_blocked() -> ApiError:
    """Return the refusal of the safety system (platform.md 4.1)."""
    return ApiError(
        "Your request was rejected by the safety system. rehearsal: every prompt is refused.",
        type="shell_api_error",  # behind a gateway the type differs while the code survives
        code="moderation_blocked",
        param="",
    )


def rate_limited() -> ApiError:
    """Return the first 429 of a request; the second has no body (platform.md 2.5)."""
    return ApiError(
        "当前分组上游负载已饱和，请稍后再试 (too many requests: wait and ask again)",  # noqa: RUF001  the gateway's own text
        status=429,
        type="new_api_error",
        code="",
        headers={"Retry-After": "1"},
    )


def failed_message(model: str) -> str:
    """Return why a task of *model* has failed: on purpose, or because the painter could not."""
    return FAILED_MESSAGE if model in REHEARSALS else "the engine could not paint this picture"


def item_fault(model: str, position: int) -> str:
    """Return what is wrong with the item at *position*: `""`, `error` or `empty`."""
    if model == "rehearsal-empty":
        return "empty"
    if model == "rehearsal-partial" and position % 2 == 1:
        return "error" if position % 4 == 1 else "empty"
    return ""
