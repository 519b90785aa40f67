"""A platform that says the caller's API key wherever it can: the worst that a server may do."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opeai_nb.testing import png


class _Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        key = self._key()
        if self.path.endswith("/models"):
            models = [{"id": f"model-{key}", "owned_by": key, "description": f"for {key}"}]
            self._answer(200, {"data": models})
        else:
            self._answer(200, {"task_id": "image_1", "status": "FAILURE", "fail_reason": key})

    def do_POST(self) -> None:
        key = self._key()
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        error: dict[str, Any] = {"message": f"Bad key: {key}", "code": key, "type": key}
        match asked["model"]:
            case "refused":
                self._answer(401, {"error": error})
            case "starred":
                starred = f"{key[:6]}****{key[-4:]}"
                self._answer(401, {"error": {"message": f"Incorrect API key: {starred}"}})
            case "html":
                self._answer(502, f"<html><title>{key}</title><body>Bearer {key}</body></html>")
            case "flat":
                self._answer(200, {"code": key, "message": f"Bearer {key}", "data": None})
            case "task":
                body = {"task_id": "image_1", "status": "QUEUED", "model": key, "prompt": key}
                self._answer(200, {"object": "image.generation.task", **body})
            case "item":
                self._answer(200, {"data": [{"url": "", "b64_json": "", "error": error}]})
            case _:
                item = {"b64_json": b64encode(png()).decode(), "revised_prompt": f"a {key}"}
                self._answer(200, {"data": [item], "model": key, "usage": {"note": key}})

    def _key(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _answer(self, status: int, body: Any) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Request-Id", self._key())
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def echoing_platform() -> Iterator[str]:
    """Serve on a free port; the value is the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
