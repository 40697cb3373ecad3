"""`capacity data` with a cache and overrides, and what is said where boto3 is missing."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from capacity.catalog.table import load_catalog
from capacity.cli.main import app
from capacity.errors import MissingExtra, SpecError

ANSWER = {
    "InstanceTypes": [
        {
            "InstanceType": "m99.large",
            "Hypervisor": "nitro",
            "BareMetal": False,
            "CurrentGeneration": True,
            "MemoryInfo": {"SizeInMiB": 8192},
            "VCpuInfo": {"DefaultVCpus": 2},
            "ProcessorInfo": {"SupportedArchitectures": ["arm64"]},
            "NetworkInfo": {
                "MaximumNetworkInterfaces": 4,
                "MaximumNetworkCards": 1,
                "Ipv4AddressesPerInterface": 15,
                "NetworkCards": [{"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 4}],
            },
        }
    ]
}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("CAPACITY_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "types.json"
    path.write_text(json.dumps(ANSWER))
    return path


def test_a_saved_answer_needs_no_credentials(saved: Path, cache: Path) -> None:
    done = run("data", "refresh", "--from", str(saved), "--as-of", "2027-01-02", "-o", "json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["results"]["new_types"] == ["m99.large"]
    assert answer["results"]["cache"] == str(cache)
    assert answer["data"]["layers"] == ["package", "cache"]
    assert answer["data"]["date"] == "2027-01-02"
    kind = load_catalog().get("m99.large")
    assert (kind.max_enis, kind.ipv4_per_eni, kind.arch, kind.memory_mib) == (4, 15, "arm64", 8192)
    pods = json.loads(run("maxpods", "m99.large", "--mode", "secondary", "-o", "json").stdout)["results"][0]
    assert pods["max_pods"] == 58  # 4 * (15 - 1) + 2


def test_status_shows_the_layers(saved: Path, cache: Path) -> None:
    assert "layers" not in json.loads(run("data", "status", "-o", "json").stdout)["results"]
    run("data", "refresh", "--from", str(saved), "--as-of", "2027-01-02")
    (layer,) = json.loads(run("data", "status", "--as-of", "2027-01-12", "-o", "json").stdout)["results"]["layers"]
    assert layer == {
        "name": "cache",
        "holds": "limits",
        "rows": 1,
        "date": "2027-01-02",
        "age_days": 10,
        "path": str(cache / "eni_limits.csv"),
    }
    assert "In addition to the package; a later layer overrides an earlier one" in run("data", "status").stdout


def test_verify_looks_at_the_package_alone(saved: Path) -> None:
    run("data", "refresh", "--from", str(saved))
    assert run("data", "verify").exit_code == 0


@pytest.mark.parametrize("output", ["table", "json", "yaml", "csv", "md"])
def test_diff(saved: Path, output: str) -> None:
    run("data", "refresh", "--from", str(saved))
    done = run("data", "diff", "-o", output)
    assert done.exit_code == 0
    assert "m99.large" in done.stdout


def test_diff_of_nothing() -> None:
    assert run("data", "diff").stdout == "Nothing differs from the package (no cache and no overrides).\n"


def test_a_file_without_types(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "x.json").write_text('{"Subnets": []}')
    done = run("data", "refresh", "--from", str(tmp_path / "x.json"))
    assert isinstance(done.exception, SpecError)
    assert "no instance types in the input" in str(done.exception)
    assert not cache.exists()


@pytest.mark.parametrize("command", [("data", "refresh"), ("import", "aws"), ("doctor",)])
def test_without_boto3_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    done = run(*command)
    assert isinstance(done.exception, MissingExtra)
    assert str(done.exception).startswith(
        "reading from AWS requires boto3: pip install 'eks-pod-capacity[aws]' or pipx"
    )
