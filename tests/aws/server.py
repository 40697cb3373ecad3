"""AWS on loopback: moto's server, with a door in front that can count, throttle, deny and answer for it."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

Start = Callable[..., Any]

_EKS = (
    (re.compile(r"^/clusters$"), "ListClusters"),
    (re.compile(r"^/clusters/[^/]+$"), "DescribeCluster"),
    (re.compile(r"^/clusters/[^/]+/node-groups$"), "ListNodegroups"),
    (re.compile(r"^/clusters/[^/]+/node-groups/[^/]+$"), "DescribeNodegroup"),
    (re.compile(r"^/clusters/[^/]+/addons/[^/]+$"), "DescribeAddon"),
)


SLOW_S = 2.0
FAULTS = ("denied", "throttled", "500", "slow", "html", "truncated", "empty", "encoding")
PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><p>Sign in &nbsp; first</body></html>"


class Door:
    """A WSGI application before another.

    Attributes
    ----------
    throttled : dict of str to int
        How many more times an operation is answered with 400 Throttling.
    denied : set of str
        Operations that are refused.
    faults : dict of str to str
        How operations go wrong, of :data:`FAULTS`.
    addons : dict of str to dict
        EKS add-ons, which moto does not know.
    price_list : list of str
        What the Pricing API answers, two entries to a page.
    pages : dict of str to list of bytes
        Answers given in order instead of moto's.
    seen : Counter of str
        Operations asked for.
    """

    def __init__(self, behind: Any) -> None:
        self.behind = behind
        self.reset()

    def reset(self) -> None:
        self.throttled: dict[str, int] = {}
        self.denied: set[str] = set()
        self.faults: dict[str, str] = {}
        self.addons: dict[str, dict[str, Any]] = {}
        self.price_list: list[str] = []
        self.pages: dict[str, list[bytes]] = {}
        self.seen: Counter[str] = Counter()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        operation, body = self._operation(environ)
        self.seen[operation] += 1
        if self.throttled.get(operation, 0) > 0:
            self.throttled[operation] -= 1
            return self._refuse(environ, start, "Throttling", 400)
        fault = self.faults.get(operation, "")
        if fault == "throttled":
            return self._refuse(environ, start, "Throttling", 400)
        if fault == "500":
            return self._refuse(environ, start, "InternalError", 500)
        if fault == "slow":
            time.sleep(SLOW_S)
        if fault in ("html", "empty"):
            return self._send(start, 200, "text/html", PAGE if fault == "html" else b"")
        if fault in ("truncated", "encoding"):
            known = self.pages.get(operation)
            return self._damaged(known[:1] if known else self.behind(environ, lambda *_: None), start, fault)
        if operation in self.denied or fault == "denied":
            code = "UnauthorizedOperation" if self._query(environ) else "AccessDeniedException"
            return self._refuse(environ, start, code, 403)
        if self.pages.get(operation):
            return self._send(start, 200, "text/xml", self.pages[operation].pop(0))
        if operation == "DescribeAddon":
            return self._addon(environ, start)
        if operation == "GetProducts":
            return self._prices(start, body)
        answer: Iterable[bytes] = self.behind(environ, start)
        return answer

    def _damaged(self, answer: Iterable[bytes], start: Start, fault: str) -> list[bytes]:
        """The true answer, cut in the middle or in another encoding."""
        blob = b"".join(answer)
        wrong = blob[: len(blob) // 2] if fault == "truncated" else blob.decode().encode("utf-32")
        return self._send(start, 200, "text/plain", wrong)

    @staticmethod
    def _query(environ: dict[str, Any]) -> bool:
        return str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")

    def _operation(self, environ: dict[str, Any]) -> tuple[str, bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        environ["wsgi.input"] = io.BytesIO(body)
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target:
            return target.rsplit(".", 1)[-1], body
        if self._query(environ):
            return parse_qs(body.decode()).get("Action", ["?"])[0], body
        path = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] == "GET":
            return next((name for pattern, name in _EKS if pattern.match(path)), path), body
        return f"{environ['REQUEST_METHOD']} {path}", body

    def _refuse(self, environ: dict[str, Any], start: Start, code: str, status: int) -> list[bytes]:
        if self._query(environ):
            blob = f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"
            if "elasticloadbalancing" in str(environ.get("HTTP_AUTHORIZATION", "")):
                blob = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
            return self._send(start, status, "text/xml", blob.encode())
        if code == "Throttling":
            code = "ThrottlingException"
        return self._send(
            start, status, "application/json", json.dumps({"__type": code, "message": "no"}).encode(), code
        )

    def _addon(self, environ: dict[str, Any], start: Start) -> list[bytes]:
        name = environ["PATH_INFO"].rsplit("/", 1)[-1]
        if name in self.addons:
            return self._send(start, 200, "application/json", json.dumps({"addon": self.addons[name]}).encode())
        return self._send(start, 404, "application/json", b'{"message": "no"}', "ResourceNotFoundException")

    def _prices(self, start: Start, body: bytes) -> list[bytes]:
        offset = int(json.loads(body).get("NextToken") or 0)
        answer: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": self.price_list[offset : offset + 2]}
        if offset + 2 < len(self.price_list):
            answer["NextToken"] = str(offset + 2)
        return self._send(start, 200, "application/x-amz-json-1.1", json.dumps(answer).encode())

    @staticmethod
    def _send(start: Start, status: int, kind: str, blob: bytes, error: str = "") -> list[bytes]:
        headers = [("Content-Type", kind), ("Content-Length", str(len(blob)))]
        if error:
            headers.append(("x-amzn-ErrorType", error))
        start(f"{status} X", headers)
        return [blob]


class Aws:
    """The server: started on a free port of 127.0.0.1, stopped by :meth:`stop`."""

    def __init__(self) -> None:
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log_request(self, code: Any = "-", size: Any = "-") -> None:
                """No line per request."""

        self.door = Door(DomainDispatcherApplication(create_backend_app))
        self._server = make_server("127.0.0.1", 0, self.door, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
