"""A node that misbehaves: a proxy before a real one; a test says what it does with a question."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Forward = Callable[[], bytes]
"""Ask the real node the question at hand and return its answer."""
Behaviour = Callable[[str, list[Any], Forward], bytes]
"""(method, parameters, forward) -> the answer's bytes. `Silence` closes without an answer."""


class Silence(Exception):
    """The proxy hangs up."""


@dataclass
class Proxy:
    """A running proxy. `asked` are the questions it was asked, in order."""

    url: str
    behaviour: Behaviour
    asked: list[tuple[str, list[Any]]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def sent(self) -> list[str]:
        """Return the raw transactions that were sent through it."""
        return [params[0] for method, params in self.asked if method == "eth_sendRawTransaction"]


def honest(_method: str, _params: list[Any], forward: Forward) -> bytes:
    return forward()


def result(value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 0, "result": value}).encode()


def error(code: int, message: str) -> bytes:
    return json.dumps(
        {"jsonrpc": "2.0", "id": 0, "error": {"code": code, "message": message}}
    ).encode()


@contextmanager
def proxy(node: str, behaviour: Behaviour = honest) -> Iterator[Proxy]:
    """Run a proxy before `node` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            asked = json.loads(question)
            running.asked.append((asked["method"], asked["params"]))

            def forward() -> bytes:
                request = urllib.request.Request(
                    node, question, {"Content-Type": "application/json"}
                )
                with urllib.request.urlopen(request, timeout=20) as answered:
                    answer: bytes = answered.read()
                return answer

            try:
                answer = running.behaviour(asked["method"], asked["params"], forward)
            except Silence:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Proxy(f"http://127.0.0.1:{server.server_port}", behaviour)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield running
    finally:
        running.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
