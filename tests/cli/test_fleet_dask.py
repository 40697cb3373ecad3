"""`capacity fleet` on a real Dask scheduler and workers, separate processes on loopback: same bytes, whatever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.certificates import Certificates, certificates
from tests.fixtures.fleets import Cluster, write_fleet

START_S = 60.0
COUNT = 60
SMALL: dict[str, Any] = {"replicas": 4, "peak": 6, "nodes": 1, "most": 2}


class Dask:
    """A scheduler and workers, which end with the test; with ``security`` their options for TLS."""

    def __init__(self, folder: Path, security: Sequence[str] = ()) -> None:
        self.folder = folder
        self.security = security
        self.file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def host(self) -> str:
        return "tls://127.0.0.1" if self.security else "127.0.0.1"

    def scheduler(self) -> subprocess.Popen[bytes]:
        options = ["--host", self.host, "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file)]
        process = self._start("scheduler", *options)
        _until(self.file.exists)
        return process

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        place = self.folder / f"worker{len(self.processes)}"
        common = ["--scheduler-file", str(self.file), "--host", self.host, "--nthreads", "1", "--no-dashboard"]
        return self._start("worker", *common, "--local-directory", str(place), *options)

    @property
    def address(self) -> str:
        found: str = json.loads(self.file.read_text())["address"]
        return found

    def _start(self, *arguments: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, *self.security],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=environment,
            start_new_session=True,
        )
        self.processes.append(process)
        return process

    def end(self) -> None:
        for process in reversed(self.processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # with the nanny's worker; the session is this test's own
            process.wait()


def _until(ready: Any) -> None:
    end = time.monotonic() + START_S
    while not ready():
        assert time.monotonic() < end, "not ready in time"
        time.sleep(0.05)


@contextmanager
def dask(folder: Path, workers: int, *options: str, security: Sequence[str] = ()) -> Iterator[Dask]:
    cluster = Dask(folder, security)
    try:
        cluster.scheduler()
        for _ in range(workers):
            cluster.worker(*(options or ("--no-nanny",)))
        yield cluster
    finally:
        cluster.end()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "capacity", "fleet", "check", "plans", "-o", "json", "-q", *arguments]


def answer(here: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command(*arguments), cwd=here, capture_output=True, check=False, timeout=90)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Plans of several VPCs, in which some clusters share subnets, and a broken plan."""
    folder = tmp_path_factory.mktemp("fleet")
    write_fleet(folder / "plans", [Cluster(f"c{i:02}", **SMALL, vpc=f"vpc-{i // 3}") for i in range(COUNT)])
    (folder / "plans" / "broken.yaml").write_text("apiVersion: capacity/v1\n")
    return folder


@pytest.fixture(scope="module")
def serial(here: Path) -> bytes:
    """The answer of one process."""
    done = answer(here)
    assert done.returncode == 2
    assert len(json.loads(done.stdout)["results"]["clusters"]) == COUNT + 1
    return done.stdout


def test_the_same_bytes_as_serial_and_after_a_worker_was_killed(here: Path, serial: bytes, tmp_path: Path) -> None:
    with dask(tmp_path, 2) as cluster:
        done = answer(here, "--scheduler", cluster.address)
        assert (done.returncode, done.stderr) == (2, b"")
        assert done.stdout == serial
        running = subprocess.Popen(
            command("--scheduler", cluster.address, "--resume", str(tmp_path / "kept")),
            cwd=here,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _until(lambda: _kept(tmp_path) or running.poll() is not None)
        cluster.processes[1].kill()
        stdout, stderr = running.communicate(timeout=90)
        assert (running.returncode, stderr) == (2, b"")
        assert stdout == serial


def _kept(folder: Path) -> list[Path]:
    return list((folder / "kept").rglob("*.json"))


def test_a_scheduler_that_dies_is_one_line_and_the_run_continues(here: Path, serial: bytes, tmp_path: Path) -> None:
    with dask(tmp_path, 1) as cluster:
        running = subprocess.Popen(
            command("--scheduler", cluster.address, "--resume", str(tmp_path / "kept")),
            cwd=here,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _until(lambda: _kept(tmp_path) or running.poll() is not None)
        cluster.processes[0].kill()
        stdout, stderr = running.communicate(timeout=120)
    assert stderr.decode().startswith("error: the connection"), stderr.decode()[-1500:]
    assert (running.returncode, stdout) == (2, b"")
    assert stderr.decode().startswith(
        f"error: the connection to the Dask scheduler {cluster.address} was lost; with --res"
    )
    assert stderr.count(b"\n") == 1
    assert _kept(tmp_path)
    assert answer(here, "--resume", str(tmp_path / "kept")).stdout == serial


def test_a_plan_that_takes_the_memory_of_a_worker_is_a_row(tmp_path: Path) -> None:
    import yaml

    document = yaml.safe_load(Cluster("big", **SMALL, vpc="vpc-big").text)
    document["workloads"] = [{"name": f"w{i}", "replicas": 1} for i in range(400_000)]
    plans = tmp_path / "plans"
    plans.mkdir()
    (plans / "big.json").write_text(json.dumps(document))
    write_fleet(plans, [Cluster("a", **SMALL), Cluster("b", **SMALL)])
    with dask(tmp_path, 1, "--nanny", "--memory-limit", "260 MiB") as cluster:
        done = answer(tmp_path, "--scheduler", cluster.address)
    assert (done.returncode, done.stderr) == (2, b"")
    assert done.stdout == answer(tmp_path, "--memory-limit", "64Mi").stdout
    rows = {row["plan"]: row for row in json.loads(done.stdout)["results"]["clusters"]}
    assert rows["plans/big.json"]["error"].startswith("plans/big.json: the worker ran out of memory")
    assert rows["plans/a.yaml"]["verdict"] == rows["plans/b.yaml"]["verdict"] == "ok"


def test_no_scheduler_is_one_line(here: Path) -> None:
    done = answer(here, "--scheduler", "tcp://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.startswith(b"error: --scheduler tcp://127.0.0.1:9: cannot connect to a Dask scheduler there: ")
    assert done.stderr.count(b"\n") == 1


def test_a_cluster_on_this_machine(here: Path, serial: bytes) -> None:
    done = answer(here, "--local-cluster", "--jobs", "2")
    assert (done.returncode, done.stderr) == (2, b"")
    assert done.stdout == serial


def _tls(files: Certificates) -> list[str]:
    return ["--tls-ca", str(files.ca), "--tls-cert", str(files.cert), "--tls-key", str(files.key)]


def test_tls(here: Path, serial: bytes, tmp_path: Path) -> None:
    ours, foreign = certificates(tmp_path / "ours"), certificates(tmp_path / "foreign")
    security = ["--tls-ca-file", str(ours.ca), "--tls-cert", str(ours.cert), "--tls-key", str(ours.key)]
    with dask(tmp_path, 1, security=security) as cluster:
        assert cluster.address.startswith("tls://127.0.0.1:")
        done = answer(here, "--scheduler", cluster.address, *_tls(ours))
        assert (done.returncode, done.stderr) == (2, b"")
        assert done.stdout == serial
        where = f"error: --scheduler {cluster.address}: cannot connect to a Dask scheduler there: "
        refused = {
            "its certificate is not signed by a CA in": _tls(foreign._replace(cert=ours.cert, key=ours.key)),
            "it ended the TLS handshake: it may refuse the client certificate": _tls(foreign._replace(ca=ours.ca)),
            "tls:// needs --tls-ca, --tls-cert and --tls-key": [],
        }
        for reason, options in refused.items():
            _refused(answer(here, "--scheduler", cluster.address, *options), where + reason)
        plain = cluster.address.replace("tls://", "tcp://")
        closed = where.replace("tls://", "tcp://") + "it closed the connection: it may use TLS (tls://)"
        _refused(answer(here, "--scheduler", plain), closed)


def _refused(done: subprocess.CompletedProcess[bytes], start: str) -> None:
    """One line, and no answer."""
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1), done.stderr
    assert done.stderr.decode().startswith(start)
