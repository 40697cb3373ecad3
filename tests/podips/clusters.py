"""Recorded answers of clusters, given by a fake kubectl or, to a real one, by an API server on loopback."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "podips"
OBJECTS: list[dict[str, Any]] = json.loads((EXAMPLE / "cluster.json").read_text(encoding="utf-8"))["items"]

FAKE = """#!{python}
import json, sys, time
from pathlib import Path

answers = json.loads(Path(__file__).with_name("answers.json").read_text())
arguments = [a for a in sys.argv[1:] if not a.startswith("--request-timeout=")]
with Path(__file__).with_name("calls").open("a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if arguments == ["config", "view", "-o", "json"]:
    named = [{{"name": name}} for name in answers["contexts"]]
    print(json.dumps({{"current-context": answers["current"], "contexts": named}}))
    sys.exit()
assert arguments[0] == "--context" and arguments[2] == "get" and arguments[-2:] == ["-o", "json"], arguments
context, kind = arguments[1], arguments[3].partition(".")[0]
told = answers["contexts"][context].get(kind, 'error: the server doesn\\'t have a resource type "' + kind + '"')
if told == "hang":
    time.sleep(60)
if isinstance(told, str):
    sys.exit(print(told, file=sys.stderr) or 1)
print(json.dumps({{"apiVersion": "v1", "kind": "List", "items": told}}))
"""


def listed(kind: str, objects: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """The example's objects of one kind."""
    return [o for o in (OBJECTS if objects is None else objects) if o["kind"] == kind]


def answers(objects: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """What kubectl answers for a cluster, by resource."""
    return {
        "nodes": listed("Node", objects),
        "pods": listed("Pod", objects),
        "daemonsets": listed("DaemonSet", objects),
    }


def fake_kubectl(folder: Path, contexts: dict[str, dict[str, Any]], current: str = "shop") -> Path:
    """A kubectl in its own folder, for PATH, that gives these answers and notes its calls."""
    folder.mkdir(exist_ok=True)
    (folder / "answers.json").write_text(json.dumps({"contexts": contexts, "current": current}))
    (folder / "calls").write_text("")
    path = folder / "kubectl"
    path.write_text(FAKE.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return folder


def calls(folder: Path) -> list[list[str]]:
    """The arguments of each call of the fake kubectl."""
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]


def with_path(folder: Path) -> str:
    return os.pathsep.join([str(folder), os.environ["PATH"]])


# --- an API server ------------------------------------------------------------------------------

_CORE = [("nodes", "Node", False), ("pods", "Pod", True)]
_APPS = [("daemonsets", "DaemonSet", True)]


def _resources(version: str, kinds: list[tuple[str, str, bool]]) -> dict[str, Any]:
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": version,
        "resources": [
            {"name": n, "singularName": n[:-1], "namespaced": spaced, "kind": kind, "verbs": ["get", "list"]}
            for n, kind, spaced in kinds
        ],
    }


def _answer(path: str, objects: list[dict[str, Any]], forbidden: str) -> tuple[int, dict[str, Any]]:
    """The status and the body of a GET."""
    lists = {
        "/api/v1/nodes": ("v1", "NodeList", "Node"),
        "/api/v1/pods": ("v1", "PodList", "Pod"),
        "/apis/apps/v1/namespaces/kube-system/daemonsets": ("apps/v1", "DaemonSetList", "DaemonSet"),
    }
    if path == "/api":
        return 200, {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        version = {"groupVersion": "apps/v1", "version": "v1"}
        group = {"name": "apps", "versions": [version], "preferredVersion": version}
        return 200, {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group]}
    if path == "/api/v1":
        return 200, _resources("v1", _CORE)
    if path == "/apis/apps/v1":
        return 200, _resources("apps/v1", _APPS)
    if path not in lists:
        return 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
    if forbidden and path.endswith(f"/{forbidden}"):
        message = f'{forbidden} is forbidden: User "dev" cannot list resource "{forbidden}" at the cluster scope'
        body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
        return 403, body | {"reason": "Forbidden", "details": {"kind": forbidden}, "code": 403}
    group_version, kind, item = lists[path]
    return 200, {"kind": kind, "apiVersion": group_version, "metadata": {}, "items": listed(item, objects)}


@contextmanager
def api_server(forbidden: str = "") -> Iterator[str]:
    """An API server on loopback that answers reads with the example's objects; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = _answer(self.path.partition("?")[0], OBJECTS, forbidden)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def kubeconfig(path: Path, server: str) -> Path:
    """A kubeconfig with one context."""
    path.write_text(
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "loop",
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {}}],
                "contexts": [{"name": "loop", "context": {"cluster": "c", "user": "u"}}],
            }
        )
    )
    return path
