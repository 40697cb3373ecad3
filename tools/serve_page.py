"""Serves the built planner page on this machine, with the headers that a host should send.

python tools/serve_page.py [--port 8000]
"""

from __future__ import annotations

import argparse
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tools.build_page import HEADERS, OUT


class PageHandler(SimpleHTTPRequestHandler):
    """Files of a folder, with the page's headers unless ``headers`` is empty."""

    extra: dict[str, str] = HEADERS
    extensions_map = {  # noqa: RUF012  # the base class's own attribute
        ".html": "text/html; charset=utf-8",
        ".css": "text/css",
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".wasm": "application/wasm",
        ".zip": "application/zip",
        ".md": "text/plain; charset=utf-8",
        ".txt": "text/plain; charset=utf-8",
        "": "application/octet-stream",
    }

    def end_headers(self) -> None:
        for name, value in self.extra.items():
            self.send_header(name, value)
        if "/assets-" in self.path:
            self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the browser shows what was loaded."""


def serve(folder: Path, port: int = 0, headers: dict[str, str] | None = None) -> ThreadingHTTPServer:
    """A server on the loopback interface; the caller runs and closes it."""
    handler = type("Handler", (PageHandler,), {"extra": HEADERS if headers is None else headers})
    return ThreadingHTTPServer(("127.0.0.1", port), partial(handler, directory=str(folder)))


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves the planner page on this machine.")
    parser.add_argument("--port", type=int, default=8000)
    with serve(OUT, parser.parse_args().port) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}/ (Ctrl+C stops it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
