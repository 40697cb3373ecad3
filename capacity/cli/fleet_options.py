"""Options of `capacity fleet` that every question has: the plans, the workers, what is kept, when to stop."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.errors import SpecError

if TYPE_CHECKING:
    from capacity.fleet.plan_files import Sources
    from capacity.fleet.workforce import Workforce

MOST_JOBS = 1024

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        help="Plan files, folders, patterns, a fleet.yaml, or - for a list of paths on stdin. Default: fleet.yaml in "
        "this folder or a parent.",
        metavar="[PATH]...",
    ),
]
Jobs = Annotated[int | None, typer.Option("-j", "--jobs", help="Number of local processes. Default: 1.", metavar="N")]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Run on the Dask cluster at this address.", metavar="tcp://HOST:PORT"),
]
LocalCluster = Annotated[
    bool, typer.Option("--local-cluster", help="Start a Dask cluster on this machine, with --jobs workers.")
]
TlsCa = Annotated[
    Path | None, typer.Option("--tls-ca", help="CA certificates for a tls:// scheduler (PEM).", metavar="FILE")
]
TlsCert = Annotated[Path | None, typer.Option("--tls-cert", help="Client certificate (PEM).", metavar="FILE")]
TlsKey = Annotated[Path | None, typer.Option("--tls-key", help="Key of the client certificate (PEM).", metavar="FILE")]
Resume = Annotated[
    Path | None,
    typer.Option("--resume", help="Keep finished work in this folder, and continue from it.", metavar="DIR"),
]
MemoryLimit = Annotated[
    str,
    typer.Option("--memory-limit", help="Maximum memory for one plan; 0 for no limit.", metavar="QUANTITY"),
]
KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Do not exit with 2 because of plans that cannot be read.")
]
ONE_PLAN = "4Gi"


@dataclass(frozen=True)
class FleetOptions:
    """The common options of `capacity fleet` as given, named as the parameters are."""

    paths: list[str] | None
    settings: list[str] | None
    jobs: int | None
    scheduler: str | None
    local_cluster: bool
    tls_ca: Path | None
    tls_cert: Path | None
    tls_key: Path | None
    resume: Path | None
    memory_limit: str
    quiet: bool

    def check(self) -> None:
        """Refuse options that contradict each other, before any work is done."""
        if self.jobs is not None and not 1 <= self.jobs <= MOST_JOBS:
            raise SpecError(f"--jobs: {self.jobs} is out of range (expected 1 to {MOST_JOBS})")
        if self.scheduler and self.local_cluster:
            raise SpecError("--scheduler and --local-cluster cannot be combined")
        if self.scheduler and self.jobs is not None:
            raise SpecError("--jobs does not apply to --scheduler: the Dask cluster has its own workers")
        tls = {"--tls-ca": self.tls_ca, "--tls-cert": self.tls_cert, "--tls-key": self.tls_key}
        for option, file in tls.items():
            if file is None:
                continue
            if not self.scheduler:
                raise SpecError(f"{option} needs --scheduler tls://HOST:PORT")
            if not file.is_file():
                raise SpecError(f"{option}: no such file: {file}")
        if any(tls.values()) and not str(self.scheduler).startswith("tls://"):
            raise SpecError(f"--scheduler: {self.scheduler!r} does not use TLS (expected tls://HOST:PORT)")
        self.memory()

    def memory(self) -> int | None:
        """The memory limit; None for no limit. [bytes]"""
        from capacity.units import parse_memory

        try:
            found = parse_memory(self.memory_limit)
        except SpecError as error:
            raise SpecError(f"--memory-limit: {error}") from None
        if 0 < found < 16 << 20:
            raise SpecError(f"--memory-limit: {self.memory_limit!r} is too small (expected 16Mi or more, or 0)")
        return found or None

    def sources(self) -> Sources:
        """The plans, with the changes of ``--set``."""
        from dataclasses import replace

        from capacity.fleet.plan_files import find_sources
        from capacity.plan.patch import parse_settings

        patch = parse_settings(self.settings or ())
        found = find_sources(self.paths or [])
        plans = tuple(replace(source, patch={**source.patch, **patch}) for source in found.plans)
        return replace(found, plans=plans)

    @contextmanager
    def workforce(self) -> Iterator[Workforce]:
        """The workers for the given options."""
        from capacity.fleet.shipped import base_of
        from capacity.fleet.store import Store
        from capacity.fleet.workforce import Serial, Workforce

        store = None if self.resume is None else Store(self.resume, base_of())
        memory = self.memory()
        if self.scheduler or self.local_cluster:
            from capacity.fleet.dask_workers import Tls, dask_workers

            tls = Tls(*(None if f is None else str(f) for f in (self.tls_ca, self.tls_cert, self.tls_key)))
            with dask_workers(self.scheduler, self.jobs or os.cpu_count(), tls, memory) as workers:
                yield Workforce(workers, store)
        elif self.jobs is not None and self.jobs > 1:
            from capacity.fleet.processes import Processes

            yield Workforce(Processes(self.jobs, memory), store)
        else:
            yield Workforce(Serial(memory), store)
