"""Picture URLs: signed, public, expiring, as an object store's are (platform.md 7)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.routing import Route

from opeai_nb.engine.faults.misbehaviour import Misbehaviour
from opeai_nb.engine.work.generations import Generations
from opeai_nb.engine.work.render import media_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request


_FOLDER: Final = "/pictures/"
_PREFIXES: Final = ("x-forwarded-prefix", "x-forwarded-context", "x-proxycontextpath")
_FORWARDING: Final = {"forwarded", "x-forwarded-proto", "x-forwarded-host", *_PREFIXES}
_ORIGIN: Final = re.compile(r"https?://([\w.\-]+|\[[\da-f:]+\])(:\d+)?(/[\w.~%@:\-]+)*")
_EXTENSIONS: Final = {"png": "png", "jpeg": "jpeg", "webp": "webp"}


class PictureUrls:
    """Makes picture URLs below *base_url* (None: the request's own origin) and answers them."""

    def __init__(
        self,
        generations: Generations,
        misbehaviour: Misbehaviour,
        *,
        base_url: str | None,
        aliases: tuple[str, ...],
    ) -> None:
        self._generations = generations
        self._misbehaviour = misbehaviour
        self._base_url = base_url.rstrip("/") if base_url else None
        self._aliases = aliases

    def routes(self) -> list[Route]:
        """Return the routes for the engine's router."""
        return [Route(_FOLDER + "{name}", self.picture, methods=["GET"])]

    def of(self, http: Request, generation: str, output_format: str) -> list[str]:
        """Return the URLs of a generation's pictures, in order."""
        base = self.base(http)
        extension = _EXTENSIONS[output_format]
        return [
            f"{base}{_FOLDER}{picture.id}.{extension}?{picture.signature}"
            for picture in self._generations.store.pictures(generation)
        ]

    def own(self, http: Request) -> Callable[[str], str | None]:
        """Return a function from a URL to the id of the engine's own picture, else None.

        Such a URL may stand in `image`; it is read from the store, never fetched. What begins
        otherwise than the request does is own where id and signature are a picture's: the engine
        may have many names (localhost, a proxy's), and not all lead to it from here.
        """
        bases = {self.base(http), *self._aliases}

        def picture_id(url: str) -> str | None:
            try:
                parts = urlsplit(url)
            except ValueError:
                return None
            start, folder, name = parts.path.rpartition(_FOLDER)
            if folder and self._is_signed(_id(name), parts.query):
                return _id(name)
            if f"{parts.scheme}://{parts.netloc}{start}" in bases:
                return _id(name) if folder else ""
            return "" if f"{parts.scheme}://{parts.netloc}" in bases else None

        return picture_id

    def _is_signed(self, id_: str, query: str) -> bool:
        picture = self._generations.store.picture(id_)
        return picture is not None and picture.signature == query

    async def picture(self, http: Request) -> Response:
        """Answer GET /pictures/{name}: no key is needed, and an Authorization header is refused.

        Object stores refuse a signed URL that comes with one: there may be only one way to sign.
        """
        if "authorization" in http.headers:
            return _xml(400, "InvalidArgument", "Only one auth mechanism allowed")
        id_ = _id(http.path_params["name"])
        picture = self._generations.store.picture(id_)
        if picture is None:
            return _xml(404, "NoSuchKey", "The specified key does not exist.")
        if http.scope["query_string"] != picture.signature.encode():
            return _xml(403, "SignatureDoesNotMatch", "The signature does not match.")
        data = await self._generations.picture_data(id_)
        if data is None:
            return _xml(403, "AccessDenied", "Request has expired.")
        response = Response(data, media_type=media_type(data))
        model = self._generations.model_of(picture)
        return self._misbehaviour.picture(model, picture.id, response)

    def base(self, http: Request) -> str:
        """Return where the engine's own URLs start, as the client or the proxy before it says."""
        return self._base_url or _origin(http)


def _id(name: str) -> str:
    return name.partition(".")[0]


def _origin(http: Request) -> str:
    """Return the origin and path prefix under which *http*'s client knows the engine.

    `Forwarded` (RFC 7239), `X-Forwarded-*`, and what jupyter-server-proxy sends for the prefix.
    """
    headers = http.headers
    if not _FORWARDING.isdisjoint(headers):
        pairs = re.findall(r'(host|proto)="?([^";,\s]+)', headers.get("forwarded", "").lower())
        forwarded = dict(reversed(pairs))  # the first hop's stand first
        scheme = headers.get("x-forwarded-proto") or forwarded.get("proto", http.url.scheme)
        host = headers.get("x-forwarded-host") or forwarded.get("host", http.url.netloc)
        prefix = next((headers[one] for one in _PREFIXES if headers.get(one, "")[:1] == "/"), "")
        origin = f"{_first(scheme)}://{_first(host)}{_first(prefix).rstrip('/')}"
        if _ORIGIN.fullmatch(origin):
            return origin
    return f"{http.url.scheme}://{http.url.netloc}"


def _first(value: str) -> str:
    return value.partition(",")[0].strip()


def _xml(status: int, code: str, message: str) -> Response:
    """Return an object store's error page (platform.md 7: an expired link gives 403 XML)."""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code>'
        f"<Message>{message}</Message></Error>\n"
    )
    return Response(body, status_code=status, media_type="application/xml")
