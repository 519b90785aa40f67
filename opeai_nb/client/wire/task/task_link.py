"""Where an answer says that its task is asked about: in its body, or in its headers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from opeai_nb.client.wire.task.guessed_id import ID_TEXT
from opeai_nb.client.wire.task.task_fields import row_id, status_word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opeai_nb.client.protocol.steps import Reply
    from opeai_nb.client.wire.unwrap import Places

_LINK_HEADERS: Final = (
    *("location", "operation-location", "azure-asyncoperation", "content-location"),
)
_LONGEST_LINK: Final = 2000


def says_where(status: int, link: str) -> bool:
    """Tell whether a success without a word of a task means one all the same, by its link.

    A redirect says that what was made is seen elsewhere; so does a page to log in, whose link names
    none.
    """
    return status in {201, 202} or (status in {302, 303} and leads_to_task(link))


def leads_to_task(link: str) -> bool:
    """Tell a link whose path names what it leads to: a task, a job or its result."""
    return len(link) <= _LONGEST_LINK and _OWN_TASK.match(link) is not None


_OWN_TASK: Final = re.compile(
    r"\.{0,2}/(?!/)(?:(?:[\w.~-]+/)*"
    r"(?:tasks?|jobs?|operations?|generations|predictions|queue|results?)/[\w.~%:-]+/?(?:\?\S*)?"
    r"|[^?#\s]*\?(?:\S*&)?\w*?(?:task|job|call|run|prediction|operation)_?[iI]d=[\w.~%:-]+\S*)\Z"
)


def poll_link(places: Places, reply: Reply) -> str | None:
    """Return where an answer says that its task is asked about, in its body or its headers."""
    body = next(filter(None, map(task_link_in, places.nodes)), None)
    named = (reply.headers[name] for name in _LINK_HEADERS if reply.headers.get(name))
    link = body or next(named, None)
    if link or reply.status not in {201, 202} or any(map(row_id, places.nodes)):
        return link
    return _odd_link(reply.headers)


def _odd_link(headers: Mapping[str, str]) -> str | None:
    """Return the link, or the path of the id, in a header that only some servers use."""
    if link := _RELATED.search(headers.get("link", "")):
        return link[1]
    for name, text in headers.items():
        if _POLL_HEADER.fullmatch(name) and text.strip():
            return text.strip()
        if _ID_HEADER.fullmatch(name) and ID_TEXT.fullmatch(text.strip()):
            return f"/v1/images/generations/{text.strip()}"
    return None


_RELATED: Final = re.compile(
    r"<([^<>]{1,2000})>[^,<]*;\s*rel=\"?(?:monitor|status|poll)\b", re.IGNORECASE
)
_POLL_HEADER: Final = re.compile(
    r"(?:x-)?(?:poll|polling|status|task|job|operation)-(?:url|uri|link)"
)
_ID_HEADER: Final = re.compile(r"(?:x-)?(?:\w+-)?(?:task|job|operation|prediction)-?id")


def task_link_in(node: Mapping[str, Any]) -> str | None:
    """Return where a node says that its task is asked about (Replicate: `urls.get`)."""
    direct = node.get("poll_url")
    if isinstance(direct, str) and direct.strip():
        return direct.strip()
    if "name" in node and _OPERATION.fullmatch(str(node["name"])):
        return f"/v1/{node['name']}"
    if "urls" not in node and "links" not in node:
        return None
    # Anything has a `self`; a task that has no other link says that it is one.
    keys = ("get", "status", "poll", *(("self",) if status_word(node) is not None else ()))
    for name in ("urls", "links"):
        inner: Any = node.get(name)
        for key in keys if isinstance(inner, dict) else ():
            value = inner.get(key)
            value = value.get("url", value.get("href")) if isinstance(value, dict) else value
            if isinstance(value, str) and value.strip():
                return value.strip()
    return None


_OPERATION: Final = re.compile(r"(?:[\w.-]+/){0,12}operations/[\w.-]{1,200}")


def answer_link(places: Places) -> str | None:
    """Return where the answer of a task that is done lies apart from its status (fal)."""
    link = places.first("response_url")
    return link.strip() if link else None


def id_in_link(link: str) -> str:
    """Return the id in the link to a task: that of its query, else the last part of its path."""
    try:
        parts = urlsplit(link[:_LONGEST_LINK])
        query = parse_qs(parts.query)
    except ValueError:
        return ""
    # Modal's is `__modal_function_call_id`.
    named = next((query[name][0] for name in query if _ID_IN_QUERY.search(name)), "")
    return named or unquote(parts.path.rstrip("/").rpartition("/")[2])


_ID_IN_QUERY: Final = re.compile(r"\Aid\Z|(?:task|job|call|run|prediction|operation)_?id\Z", re.I)
