"""An answer as its readers look at it: as it came, unwrapped, beside the request that it answers.

`read_pictures` looks here for pictures and `task/read_task` for a task; `read_answer` decides
between the two. Which of its pictures an answer only repeats, since they were sent, is told here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from opeai_nb.client.http.picture_source import is_one_of
from opeai_nb.client.values.request import wanted
from opeai_nb.client.wire.error.read_error import request_id_in
from opeai_nb.client.wire.spelling import squeezed
from opeai_nb.client.wire.unwrap import INPUT_LISTS, Places, leaves_in, places_in

if TYPE_CHECKING:
    from opeai_nb.client.protocol.steps import Reply
    from opeai_nb.client.values.picture import Picture
    from opeai_nb.client.values.request import ImageRequest


@dataclass
class UnwrappedAnswer:
    """*reply* as it came, the *places* in it, and what was asked: None where nobody knows."""

    reply: Reply
    places: Places
    request: ImageRequest | None = None

    @property
    def wanted(self) -> int:
        """How many pictures were asked for."""
        return wanted(self.request)

    @property
    def is_of_edit(self) -> bool:
        """Whether pictures were sent with the request: the answer may repeat them."""
        return self.request is not None and bool(self.request.image)

    @property
    def request_id(self) -> str | None:
        """The id that the platform's support asks for."""
        return request_id_in(self.reply.headers, self.places.nodes)

    def with_lists(self, lists: list[tuple[str, list[Any]]]) -> UnwrappedAnswer:
        """Return this answer as if it held *lists* alone."""
        return replace(self, places=Places(lists=lists))

    def may_repeat(self, name: str) -> bool:
        """Tell a list that a request has as well, in the answer to one that may have had it."""
        return name in INPUT_LISTS and (self.request is None or self.is_of_edit)

    def inputs_by_name(self) -> frozenset[str]:
        """Return the texts that the answer to an edit itself calls an input."""
        return frozenset(
            leaf
            for node in (self.places.nodes if self.is_of_edit else ())
            for name, value in node.items()
            if any(part in squeezed(name) for part in _INPUT_PARTS)
            for leaf in leaves_in({"value": value})
            if isinstance(leaf, str)
        )

    def without_inputs(
        self,
        pictures: list[Picture],
        by_name: frozenset[str] = frozenset(),
        *,
        all_of_them: bool = False,
    ) -> list[Picture]:
        """Return *pictures* without those that were sent, that were there before, or are *by_name*.

        What was streamed into a file, and is all that a list of results holds, may be an edit that
        changed nothing: with *all_of_them* it is left out, too.
        """
        inputs = self.request.image if self.request is not None else ()
        urls = self.reply.known | by_name
        if not (inputs or urls):
            return pictures  # megabytes of each would be hashed, to be looked for among nothing
        texts = (value for image in inputs for value in (image.url, *(image.raw or {}).values()))
        urls = urls.union(text for text in texts if isinstance(text, str) and text)
        contents = {data for image in inputs for data in (image.data, image.sent) if data}
        others = [p for p in pictures if p.url not in urls and p.source not in contents]
        new = [p for p in others if not is_one_of(p.source, contents)]
        return new if all_of_them or any(picture.error is None for picture in new) else others


_INPUT_PARTS: Final = ("input", "request", "param", "payload", "sourceimage", "initimage")


def unwrapped(reply: Reply, request: ImageRequest | None = None) -> UnwrappedAnswer:
    """Return an answer of JSON unwrapped; *request* is what it answers, where that is known."""
    return UnwrappedAnswer(reply, places_in(reply.body), request)
