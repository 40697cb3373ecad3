"""A small GitHub on loopback: the comments of one pull request, with a log of the requests."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "a-token"
BOT = "github-actions[bot]"


class GitHub(ThreadingHTTPServer):
    """``comments``: what the pull request has, oldest first. ``status``: what writes are answered with, if not 2xx."""

    def __init__(self, comments: list[dict[str, Any]] | None = None, status: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.comments = comments or []
        self.status = status
        self.log: list[str] = []
        self.sarif: list[dict[str, str]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: GitHub

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _sent(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return found

    def _body(self) -> str:
        return self._sent()["body"]

    def _allowed(self) -> bool:
        self.server.log.append(f"{self.command} {urlsplit(self.path).path}")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(401, {"message": "Bad credentials"})
            return False
        if self.server.status and self.command != "GET":
            self._answer(self.server.status, {"message": "Resource not accessible by integration"})
            return False
        return True

    def do_GET(self) -> None:
        if self._allowed():
            asked = parse_qs(urlsplit(self.path).query)
            size, page = int(asked["per_page"][0]), int(asked["page"][0])
            self._answer(200, self.server.comments[size * (page - 1) : size * page])

    def do_POST(self) -> None:
        if not self._allowed():
            return
        if self.path.endswith("/code-scanning/sarifs"):
            self.server.sarif.append(self._sent())
            self._answer(202, {"id": "1", "url": ""})
        else:
            number = max([c["id"] for c in self.server.comments], default=0) + 1
            made = {"id": number, "user": {"login": BOT}, "body": self._body(), "html_url": f"https://x/c{number}"}
            self.server.comments.append(made)
            self._answer(201, made)

    def do_PATCH(self) -> None:
        if self._allowed():
            found = re.search(r"/issues/comments/(\d+)$", self.path)
            assert found is not None
            (comment,) = [c for c in self.server.comments if c["id"] == int(found[1])]
            comment["body"] = self._body()
            self._answer(200, {**comment, "html_url": f"https://x/c{found[1]}"})


@contextmanager
def github(comments: list[dict[str, Any]] | None = None, status: int = 0) -> Iterator[GitHub]:
    """A GitHub that ends with the block."""
    server = GitHub(comments, status)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
