"""Builds the planner page into build/page: static files that any web server can serve.

    python tools/build_page.py [--out FOLDER]

Needs node with npm, which requirements/dev.txt has. Pyodide comes from npm, pinned by page/package-lock.json with its
hash. Everything but index.html is in a folder named after its content, so that a browser can keep it forever.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

REPO = Path(__file__).parents[1]
SOURCES = REPO / "page"
WORK = REPO / "build" / "page-work"
OUT = REPO / "build" / "page"

# What the page does not reach (tests/planner/test_build.py): rooms, and the start of modules' paths.
LEFT_OUT = ("cli", "charts", "fleet", "forecast", "optimize", "__main__.py", "py.typed")
LEFT_OUT_WITHIN = (
    *("advice/doctor", "advice/whatif", "advice/simulated_use", "advice/nodes_to_buy", "advice/network_paths"),
    *("advice/pod_room", "advice/scale_up", "cost/control_plane_tiers", "pages/check_message", "pages/podips_page"),
    *("readers/aws/described_subnets", "readers/kubernetes/running"),
    *("catalog/verify", "catalog/status", "catalog/provenance", "cni/sweep", "node/frames", "node/shape_map"),
    *("pages/alerts", "pages/data_page", "pages/doctor_page", "pages/forecast_page", "pages/html", "pages/optimize_"),
    *("pages/record_page", "pages/services_page", "pages/simulate", "pages/subnets_page", "pages/templates"),
    *(
        "pages/topic_page",
        "pages/workbook",
        "pages/report_decision",
        "pages/report_findings",
        "pages/report_free_share",
    ),
    *(
        "pages/report_groups",
        "pages/report_material",
        "pages/report_model",
        "pages/report_outlook",
        "pages/report_page",
    ),
    *("pages/report_beside", "pages/report_services", "pages/report_sources", "pages/report_subnets"),
    *("readers/aws/offer_file", "readers/aws/types", "readers/aws/eks_fees", "readers/aws/price_list", "readers/taken"),
    *("services/times", "vpc/drain"),
)
DATA = (
    *("eni_limits.csv", "eni_owners.csv", "fees.csv", "findings.toml", "kubernetes_versions.csv", "prefix_walks.csv"),
    *("prices.csv", "quotas.csv", "tenants.csv", "vpc_cidr_rules.csv", "network_fees.csv"),
)
LIBRARIES = {"pyyaml": "yaml", "ruamel.yaml": "ruamel"}  # pure Python, by distribution
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
SCRIPTS = ("js", "mjs", "css")

EXAMPLES = {
    "shop-prod.yaml": "A web shop, three /24s",
    "first-plan.yaml": "A first plan",
    "prefix-custom-networking.yaml": "Prefixes and custom networking",
    "scenarios.yaml": "Scenarios of your own",
    "security-groups-for-pods.yaml": "Security groups for pods",
    "subnet-discovery.yaml": "Subnets by tag",
    "windows-mixed.yaml": "Windows nodes",
    "cilium-eni.yaml": "Cilium in ENI mode",
    "ipv6.yaml": "IPv6 pods",
}
FIRST = "shop-prod.yaml"

# What a page may do; a worker gets it by header, and where a host sends none, from the page that makes it.
POLICY = {
    "default-src": "'none'",
    "script-src": "'self' 'wasm-unsafe-eval'",
    "worker-src": "'self' blob:",
    "connect-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "form-action": "'none'",
    "base-uri": "'none'",
}
CSP = "; ".join(f"{name} {value}" for name, value in POLICY.items())
HEADERS = {  # of every response, where a host can send them
    "Content-Security-Policy": f"{CSP}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


def node(name: str = "node") -> str:
    """Path of node or npm: of this environment, otherwise of the system."""
    own = Path(sys.executable).with_name(name)
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        sys.exit(f"{name} is missing: make sets up the environment that has it")
    return found


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """A folder of the work folder, made once; two builds at the same time do not disturb each other."""
    folder = WORK / name
    if not folder.exists():
        WORK.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=WORK, prefix="new-") as parent:
            made = Path(parent) / name
            made.mkdir()
            make(made)
            with suppress(OSError):  # another build was first
                made.rename(folder)
    return folder


def pyodide() -> Path:
    """Pyodide's files, installed by npm from the lock file."""
    lock = (SOURCES / "package-lock.json").read_bytes()

    def install(folder: Path) -> None:
        for name in ("package.json", "package-lock.json", ".npmrc"):
            shutil.copy(SOURCES / name, folder / name)
        _run(node("npm"), "ci", "--ignore-scripts", "--silent", cwd=folder)

    return kept(f"npm-{hashlib.sha256(lock).hexdigest()[:16]}", install) / "node_modules" / "pyodide"


def engine_files() -> dict[str, Path]:
    """What goes into the engine's archive: name in it to file."""
    found = {f"capacity/{path.relative_to(REPO / 'capacity').as_posix()}": path for path in _modules(REPO / "capacity")}
    found |= {f"capacity/_data/{name}": REPO / "data" / name for name in DATA}
    for name, package in LIBRARIES.items():
        root = Path(str(distribution(name).locate_file(package)))
        found |= {f"{package}/{p.relative_to(root).as_posix()}": p for p in _python(root)}
    return found


def _modules(root: Path) -> Iterator[Path]:
    for path in _python(root):
        name = path.relative_to(root).as_posix()
        if name.partition("/")[0] not in LEFT_OUT and not name.startswith(LEFT_OUT_WITHIN):
            yield path


def _python(root: Path) -> list[Path]:
    return [p for p in sorted(root.rglob("*.py")) if "__pycache__" not in p.parts]


def archives(engine: dict[str, Path], from_npm: Path) -> Path:
    """The folder with engine.zip and stdlib.zip, built once for the same sources."""
    tools = [REPO / "tools" / name for name in ("page_archives.py", "page_archives.mjs")]
    digest = hashlib.sha256(from_npm.parent.parent.name.encode())
    for name, path in [*sorted(engine.items()), *((p.name, p) for p in tools)]:
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())

    def compile_all(folder: Path) -> None:
        for name, path in engine.items():
            target = folder / "sources" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        shutil.copy(from_npm / "python_stdlib.zip", folder / "python_stdlib.zip")
        _run(node(), str(tools[1]), str(from_npm), str(folder))

    return kept(f"archives-{digest.hexdigest()[:16]}", compile_all)


def stored() -> dict[str, Any]:
    """The example plans, and what the engine answers for the first: the page shows it before the engine is there."""
    from capacity import planner

    texts = {name: (REPO / "examples" / name).read_text(encoding="utf-8") for name in EXAMPLES}

    def asked(call: str, **request: object) -> object:
        return json.loads(planner.answer(call, json.dumps({"text": texts[FIRST], **request})))

    return {
        "examples": [{"name": n, "title": title, "text": texts[n]} for n, title in EXAMPLES.items()],
        "answers": {"live": asked("live"), "extras": asked("extras"), "curve": asked("curve", group="general")},
        "types": json.loads(planner.answer("types", "{}")),
    }


def build(out: Path = OUT) -> Path:
    """Build the page into a folder, which is replaced."""
    os.environ.setdefault("CAPACITY_CACHE_DIR", str(WORK / "no-cache"))  # the packaged data, whatever else is here
    from_npm = pyodide()
    made = archives(engine_files(), from_npm)
    assets = {name: (from_npm / name).read_bytes() for name in PYODIDE}
    assets |= {f"{name}.zip": (made / f"{name}.zip").read_bytes() for name in ("engine", "stdlib")}
    assets |= {p.name: p.read_bytes() for p in sorted(SOURCES.iterdir()) if p.suffix[1:] in SCRIPTS}
    lock = json.loads((from_npm / "pyodide-lock.json").read_text(encoding="utf-8"))
    assets["pyodide-lock.json"] = json.dumps({**lock, "packages": {}}, sort_keys=True).encode()
    sizes = {name: len(data) for name, data in assets.items() if name.endswith((".wasm", ".zip"))}
    assets["sizes.json"] = json.dumps(sizes).encode()
    digest = hashlib.sha256()
    for name, data in sorted(assets.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(data).digest())
    folder = f"assets-{digest.hexdigest()[:12]}"
    shutil.rmtree(out, ignore_errors=True)
    (out / folder).mkdir(parents=True)
    for name, data in assets.items():
        (out / folder / name).write_bytes(data)
    (out / "index.html").write_text(index(folder), encoding="utf-8")
    rules = "".join(f"  {name}: {value}\n" for name, value in HEADERS.items())
    (out / "_headers").write_text(f"/*\n{rules}/assets-*\n  Cache-Control: public, max-age=31536000, immutable\n")
    licences(out / "licences")
    return out


def index(folder: str) -> str:
    """The page itself, with the stored answers in it as data."""
    text = (SOURCES / "index.html").read_text(encoding="utf-8")
    data = json.dumps(stored(), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return text.replace("{{csp}}", CSP).replace("{{assets}}", folder).replace("{{stored}}", data)


def licences(folder: Path) -> None:
    """The licences of everything that the page contains."""
    shutil.copytree(SOURCES / "licences", folder)
    shutil.copy(REPO / "LICENSE", folder / "capacity.txt")
    for name in LIBRARIES:
        files = [f for f in distribution(name).files or () if f.name.upper().startswith("LICEN")]
        text = "\n".join(Path(str(f.locate())).read_text(encoding="utf-8") for f in files)
        (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds the planner page.")
    parser.add_argument("--out", type=Path, default=OUT)
    built = build(parser.parse_args().out)
    total = sum(p.stat().st_size for p in built.rglob("*") if p.is_file())
    print(f"{built}: {total / 2**20:.1f} MB")


if __name__ == "__main__":
    sys.path.insert(0, str(REPO))
    main()
