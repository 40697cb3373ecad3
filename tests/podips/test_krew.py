"""The krew manifest is valid, its archive is reproducible, and the plugin needs no more rights than documented."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from capacity import __version__
from capacity.readers.kubernetes.running import OPTIONAL, REQUIRED
from tools.build_krew import MANIFEST, archive, manifest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "kubectl-plugin.md"


def faults(name: str, document: Any) -> list[str]:
    """Where a manifest breaks krew's rules.

    Source: kubernetes-sigs/krew@65de93c internal/index/validation/validate.go, internal/installation/semver; the naming
    and description rules of krew.sigs.k8s.io/docs/developer-guide.
    """
    spec = document.get("spec", {})
    found = {
        "apiVersion": document.get("apiVersion") == "krew.googlecontainertools.github.com/v1alpha2",
        "kind": document.get("kind") == "Plugin",
        "name": bool(re.fullmatch(r"[\w-]+", name)) and document.get("metadata") == {"name": name},
        "shortDescription": bool(spec.get("shortDescription")) and "\n" not in spec["shortDescription"],
        "length of shortDescription": len(spec.get("shortDescription", "")) <= 60,
        "version": bool(re.fullmatch(r"v\d+\.\d+\.\d+(-[\w.]+)?", spec.get("version", ""))),
        "platforms": bool(spec.get("platforms")),
        "keys": set(spec) <= {"version", "shortDescription", "description", "caveats", "homepage", "platforms"},
    }
    for platform in spec.get("platforms", []):
        selector = platform.get("selector") or {}
        rules = selector.get("matchExpressions", [])
        found |= {
            "uri": str(platform.get("uri", "")).startswith("https://"),
            "sha256": bool(re.fullmatch(r"[a-f0-9]{64}", platform.get("sha256", ""))),
            "bin": bool(platform.get("bin")),
            "files": all(f.get("from") and f.get("to") for f in platform.get("files", [{}])),
            "selector": bool(rules) and {r["key"] for r in rules} <= {"os", "arch"},
        }
    return [rule for rule, holds in found.items() if not holds]


def test_the_manifest_is_valid_and_the_one_that_the_tool_makes() -> None:
    text = MANIFEST.read_text(encoding="utf-8")
    assert text == manifest(__version__), "run tools/build_krew.py"
    assert faults(MANIFEST.stem, yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    ("where", "value"),
    [("version", "1.0.0"), ("shortDescription", "a\nb"), ("shortDescription", ""), ("platforms", []), ("home", "x")],
)
def test_a_manifest_that_krew_refuses_is_found(where: str, value: object) -> None:
    document = yaml.safe_load(manifest(__version__))
    document["spec"][where] = value
    assert faults("podips", document)


def test_the_archive_holds_what_the_manifest_says() -> None:
    data = archive("1.2.3")
    (platform,) = yaml.safe_load(manifest("1.2.3"))["spec"]["platforms"]
    assert data == archive("1.2.3")
    assert platform["sha256"] == hashlib.sha256(data).hexdigest()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert {f["from"] for f in platform["files"]} == set(tar.getnames())
        assert tar.getmember(platform["bin"]).mode == 0o755


@pytest.mark.parametrize(
    ("runner", "runs"),
    [
        ("uvx", "--quiet --from eks-pod-capacity==1.2.3 kubectl-podips --context a b -o json"),
        ("pipx", "run --spec eks-pod-capacity==1.2.3 kubectl-podips --context a b -o json"),
    ],
)
def test_the_script_runs_the_package(tmp_path: Path, runner: str, runs: str) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive("1.2.3"))) as tar:
        tar.extract("kubectl-podips", tmp_path, filter="data")
    script = tmp_path / "kubectl-podips"
    (tmp_path / "bin").mkdir()
    other = tmp_path / "bin" / runner
    other.write_text('#!/bin/sh\necho "$@"\n')
    other.chmod(0o755)
    arguments = ["/bin/sh", str(script), "--context", "a b", "-o", "json"]
    done = subprocess.run(arguments, env={"PATH": str(other.parent)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, runs + "\n", "")
    done = subprocess.run(arguments, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: kubectl podips needs uv or pipx")


def test_the_documented_role_allows_exactly_what_is_listed() -> None:
    (text,) = re.findall(r"```yaml\n(apiVersion: rbac.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    role = yaml.safe_load(text)
    allowed = {f"{r}.{g}".rstrip(".") for rule in role["rules"] for g in rule["apiGroups"] for r in rule["resources"]}
    listed = {what[0] for what in (*REQUIRED, *OPTIONAL)} - {"daemonsets"} | {"daemonsets.apps"}
    assert allowed == listed
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}
