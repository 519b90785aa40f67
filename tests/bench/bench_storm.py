"""A batch against a server that refuses most of it with 429: time beside the floor, POSTs, memory.

python tests/bench/bench_storm.py [--rows 300] [--rate 3] [--retry-after 1]

The server, another process, answers so many requests a second and refuses the others; the floor is
what these answers alone take. With `--retry-after 0` it does not say when to come again. Memory is
what the process of the batch grew to beyond its start.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.loopback import b64_body, noisy_png, verdict

LIMITS = {"storm": 1.3, "memory_mb": 130.0}


class Rationed(BaseHTTPRequestHandler):
    """Answers *rate* requests of each second, and refuses those beyond."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        server: Any = self.server
        if server.lets_in():
            return self._reply(200, server.body)
        headers = {"Retry-After": str(server.retry_after)} if server.retry_after else {}
        return self._reply(429, b'{"error": {"message": "slow down"}}', headers)

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


def serve(pipe: Any, rate: float, retry_after: int) -> None:
    """Serve until the process ends; tell the port, then the number of POSTs whenever asked."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Rationed)
    server.daemon_threads = True
    server.body, server.retry_after, server.posts = b64_body([noisy_png(64)]), retry_after, 0
    recent, guard = collections.deque[float](), threading.Lock()

    def lets_in() -> bool:
        with guard:
            server.posts += 1
            now = time.monotonic()
            while recent and now - recent[0] > 1:
                recent.popleft()
            if len(recent) >= rate:
                return False
            recent.append(now)
            return True

    server.lets_in = lets_in
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    while pipe.recv():
        pipe.send(server.posts)


def run(pipe: Any, url: str, rows: int) -> None:
    """Run the batch; tell the seconds that it took, and how much memory it grew to."""
    from opeai_nb.bulk.batch.batch import batch
    from opeai_nb.settings import settings
    from opeai_nb.studio import Studio

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        chosen = settings(base_url=url, api_key="sk-bench-Xq7Zk2PwMv", library=Path(folder))
        table = [{"prompt": f"picture {number}"} for number in range(rows)]
        began = time.monotonic()
        batch(table, studio=Studio(chosen)).run()
        taken = time.monotonic() - began
        pictures = len(list(Path(folder).glob("*.png")))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    pipe.send((taken, grown, pictures))


def main(rows: int, rate: float, retry_after: int) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs, rate, retry_after), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    told, pipe = context.Pipe()
    client = context.Process(target=run, args=(pipe, url, rows))
    client.start()
    taken, grown, pictures = told.recv()
    client.join()
    ours.send(True)
    posts, floor = ours.recv(), rows / rate
    server.terminate()
    print(
        f"{pictures} of {rows} rows in {taken:.1f} s by {posts} POSTs; the floor is {floor:.1f} s"
    )
    verdict("seconds / floor", taken / floor, LIMITS["storm"])
    verdict("memory, MB", grown, LIMITS["memory_mb"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--rate", type=float, default=3)
    parser.add_argument("--retry-after", type=int, default=1)
    main(**vars(parser.parse_args()))
