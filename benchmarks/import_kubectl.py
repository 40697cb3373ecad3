"""150,000 pods out of one JSON file: CPU time and peak memory against two decoders on the same file, in one run.

The decoders are `json.load` without the garbage collector, which decodes every value and looks at none, and, if it is
installed, msgspec with types, which decodes only the fields that an import needs. Each side is a process of its own, so
that its peak memory is its own.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PODS = 150_000
PER_DEPLOYMENT = 30


def pod(i: int) -> dict[str, object]:
    """A pod about as large as `kubectl get pods -o json` prints one: some 5 kB."""
    name = f"service-{i // PER_DEPLOYMENT}"
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-6d4cf56db6", "controller": True}
    labels = {"app": name, "pod-template-hash": "6d4cf56db6", "team": "shop", "app.kubernetes.io/part-of": "shop"}
    env = [{"name": f"SETTING_{n}", "value": f"value number {n} of a service"} for n in range(20)]
    requests = {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "512Mi"}}
    condition = {"lastProbeTime": None, "lastTransitionTime": "2026-11-25T10:00:00Z", "status": "True"}
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-6d4cf56db6-{i:05d}",
            "namespace": f"team-{i // PER_DEPLOYMENT % 50}",
            "labels": labels,
            "annotations": {f"example.com/annotation-{n}": "x" * 60 for n in range(8)},
            "ownerReferences": [owner],
        },
        "spec": {
            "containers": [{"name": "app", "image": "registry/app:1", "env": env, "resources": requests}],
            "nodeName": f"ip-10-0-{i // 250 % 250}-{i % 250}.ec2.internal",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}],
        },
        "status": {
            "phase": "Running",
            "podIP": f"10.{i // 65536}.{i // 256 % 256}.{i % 256}",
            "conditions": [{**condition, "type": kind} for kind in kinds],
        },
    }


def write(path: Path) -> None:
    with path.open("w") as out:
        out.write('{"apiVersion": "v1", "items": [\n')
        for i in range(PODS):
            out.write((",\n" if i else "") + json.dumps(pod(i), indent=4))
        out.write('\n], "kind": "List"}\n')


def measured(what: str, path: Path) -> tuple[float, float]:
    """Seconds and MiB at the peak of one side, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, what, str(path)], capture_output=True, text=True, check=True)
    seconds, mib = done.stdout.split()
    return float(seconds), float(mib)


def one(what: str, path: str) -> None:
    start = time.process_time()
    if what == "json":
        gc.disable()
        with open(path, encoding="utf-8") as stream:
            json.load(stream)
    elif what == "msgspec":
        decode_typed(path)
    else:
        from capacity.readers.kubernetes.kubectl import read

        draft = read([path])
        assert sum(w.replicas or 0 for w in draft.workloads) == PODS, "every pod is counted once"
    print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def decode_typed(path: str) -> None:
    """Decode the fields that an import needs of each pod."""
    import msgspec  # type: ignore[import-not-found,unused-ignore]

    def struct(name: str, *fields: tuple[str, Any]) -> Any:
        return msgspec.defstruct(name, [(f, kind, None) for f, kind in fields])

    owner = struct("Owner", ("kind", str | None), ("name", str | None), ("controller", bool | None))
    words = dict[str, str] | None
    metadata = struct(
        "Metadata",
        ("name", str | None),
        ("namespace", str | None),
        ("labels", words),
        ("annotations", words),
        ("ownerReferences", list[owner] | None),  # type: ignore[valid-type]
    )
    resources = struct("Resources", ("requests", words), ("limits", words))
    container = struct("Container", ("resources", resources | None))
    spec = struct("Spec", ("containers", list[container] | None), ("nodeName", str | None))  # type: ignore[valid-type]
    status = struct("Status", ("phase", str | None), ("podIP", str | None))
    item = struct("Item", ("kind", str), ("metadata", metadata), ("spec", spec), ("status", status))
    whole = struct("Whole", ("kind", str), ("items", list[item]))  # type: ignore[valid-type]
    msgspec.json.decode(Path(path).read_bytes(), type=whole)


def main() -> None:
    sides = ["json", *(["msgspec"] if find_spec("msgspec") else []), "import"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pods.json"
        write(path)
        print(f"{PODS:,} pods, {path.stat().st_size / 1e6:,.0f} MB")
        least: dict[str, float] = {}
        for what in sides * 2:
            seconds, mib = measured(what, path)
            least[what] = min(seconds, least.get(what, seconds))
            print(f"{what:8} {seconds:6.1f} s of CPU  peak {mib:7.0f} MiB")
        for what in sides[:-1]:
            print(f"import takes {least['import'] / least[what]:.2f} times the CPU of {what}")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        one(sys.argv[1], sys.argv[2])
    else:
        main()
