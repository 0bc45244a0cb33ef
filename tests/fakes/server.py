"""A local HTTP server: a fake platform gives its answers, and faults can be put before them."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """What was asked: header names are lower-case, ``body`` is raw."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"null")

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Reply:
    """An answer: ``body`` is bytes as they are, or anything JSON can say.

    The rest are faults of the line: ``cut`` sends only so many bytes of what it announced,
    ``delay`` waits so many seconds first, ``drip`` waits between single bytes, ``drop`` closes the
    connection without a word.
    """

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    delay: float = 0.0
    drip: float = 0.0
    drop: bool = False

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Replying = Reply | Callable[[Request], Reply]


class Fake:
    """A fake platform: a subclass answers in :meth:`reply`. A context manager, on loopback.

    ``requests`` are all that came, in order. ``faults`` are replies (or functions of the request)
    that are given instead of the platform's, first come first served, each to the next
    request whose path holds its text.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: list[tuple[str, Replying]] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None

    def reply(self, request: Request) -> Reply:
        """The platform's answer."""
        raise NotImplementedError

    def fail(
        self, reply: Reply | Callable[[Request], Reply], *, at: str = "", times: int = 1
    ) -> None:
        """Give ``reply`` to the next ``times`` requests whose path holds ``at``."""
        self.faults += [(at, reply)] * times

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_port}"

    def asked(self, path: str = "") -> list[Request]:
        """The requests whose path holds the text."""
        return [one for one in self.requests if path in one.path]

    def repeated(self) -> dict[tuple[str, str, str, bytes], int]:
        """Questions that were asked more than once, and how often."""
        counts = Counter(
            (one.method, one.path, json.dumps(one.query, sort_keys=True), one.body)
            for one in self.requests
        )
        return {question: n for question, n in counts.items() if n > 1}

    def answer(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            for place, (path, fault) in enumerate(self.faults):
                if path in request.path:
                    del self.faults[place]
                    return fault(request) if callable(fault) else fault
        return self.reply(request)

    def __enter__(self) -> Fake:
        self.start(0)
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()

    def start(self, port: int) -> None:
        """Listen on loopback; 0 takes any free port."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _handler(fake: Fake) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Else each answer waits 40 ms for an acknowledgement of its headers.
        disable_nagle_algorithm = True

        def handle(self) -> None:
            # A client that was killed, or that had read enough.
            with contextlib.suppress(ConnectionError):
                super().handle()

        def _any(self) -> None:
            split = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command,
                split.path,
                dict(parse_qsl(split.query, keep_blank_values=True)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length),
            )
            self._send(fake.answer(request))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any

        def _send(self, reply: Reply) -> None:
            if reply.delay:
                time.sleep(reply.delay)
            if reply.drop:
                self.close_connection = True
                return
            data = reply.data
            self.send_response(reply.status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(data))}
            for name, value in {**headers, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            sent = data if reply.cut is None else data[: reply.cut]
            if reply.cut is not None:
                self.close_connection = True
            if not reply.drip:
                self.wfile.write(sent)
                return
            for place in range(len(sent)):
                self.wfile.write(sent[place : place + 1])
                time.sleep(reply.drip)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests have nobody to tell."""

    return Handler
