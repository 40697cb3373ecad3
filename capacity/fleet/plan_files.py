"""The plans of a fleet: files, folders, patterns, a list on standard input, and fleet files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from glob import glob
from pathlib import Path

from capacity.errors import SpecError
from capacity.files import read_bytes, read_head, read_stream, stdin
from capacity.fleet.fleet_file import FleetFile, PlanEntry, read_fleet_file
from capacity.plan.constants import API_VERSION

ENDINGS = (".yaml", ".yml", ".json")
FLEET_FILES = tuple(f"fleet{ending}" for ending in ENDINGS)
HEAD_BYTES = 64 * 1024  # in which a file says that it is a plan
_FLEET_KIND = re.compile(rb"""^\s*["']?kind["']?\s*:\s*["']?Fleet\b|[{,]\s*"kind"\s*:\s*"Fleet\"""", re.MULTILINE)


@dataclass(frozen=True)
class Source:
    """A plan of the fleet, which is not read yet: its file, and the changes of its document by path.

    ``listed`` is False for a plan that another plan names, and that the fleet does not answer for.
    """

    file: str
    patch: Mapping[str, object] = field(default_factory=dict)
    listed: bool = True


@dataclass(frozen=True)
class Sources:
    """The plans of a fleet in order, what its file says, and files of a folder that are not plans."""

    plans: tuple[Source, ...]
    fleet: FleetFile
    others: tuple[str, ...] = ()


def find_sources(paths: Sequence[str]) -> Sources:
    """The plans that some paths name; without a path those of ``fleet.yaml`` in this folder or a folder above.

    A file that several paths name is one plan; the changes of a later entry are added to those of an earlier one.

    Raises
    ------
    SpecError
        A path or a pattern matches nothing, a fleet file has an error, or two fleet files are given.
    """
    fleets: list[FleetFile] = []
    entries: list[tuple[Path, PlanEntry]] = []
    for path in [*_listed(paths)] or [str(_find_fleet())]:
        file = _fleet_of(path)
        if file is None:
            entries.append((Path(), PlanEntry(path)))
            continue
        fleets.append(read_fleet_file(file))
        entries += [(fleets[-1].folder, entry) for entry in fleets[-1].entries]
    if len(fleets) > 1:
        raise SpecError(f"two fleet files: {fleets[0].file} and {fleets[1].file} (expected one)")
    found: dict[Path, Source] = {}
    others: dict[str, None] = {}
    for folder, entry in entries:
        for file in _files(folder, entry, others):
            known = found.get(file.resolve())
            source = known or Source(str(file))
            found[file.resolve()] = replace(source, patch={**source.patch, **(entry.patch or {})})
    return Sources(tuple(found.values()), fleets[0] if fleets else FleetFile(), tuple(others))


def _listed(paths: Sequence[str]) -> Iterator[str]:
    """The paths, with ``-`` replaced by the lines of standard input."""
    for path in paths:
        if path != "-":
            yield path
            continue
        text = read_stream(stdin(), "<stdin>").decode("utf-8", "surrogateescape")
        yield from (line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#"))


def _find_fleet() -> Path:
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name in FLEET_FILES:
            if (folder / name).is_file():
                return folder / name
    raise SpecError(
        f"no plans were given, and there is no fleet.yaml in {here} or a folder above it (capacity fleet check PATH…)"
    )


def _fleet_of(path: str) -> Path | None:
    """The fleet file that a path names, or that its folder has; None for plans."""
    place = Path(path)
    if place.is_dir():
        return next((place / name for name in FLEET_FILES if (place / name).is_file()), None)
    if place.is_file() and place.suffix.lower() in ENDINGS and is_fleet_file(place):
        return place
    return None


def is_fleet_file(path: Path) -> bool:
    """Whether a file is a fleet file: by its name, or because it says ``kind: Fleet``."""
    return path.name in FLEET_FILES or bool(_FLEET_KIND.search(read_head(path, HEAD_BYTES)))


def _files(folder: Path, entry: PlanEntry, others: dict[str, None]) -> Iterator[Path]:
    """The files of an entry, those of folders and patterns in the order of their names."""
    at = f"{entry.where}: " if entry.where else ""
    path = folder / entry.path
    if path.is_dir():
        plans = [file for file in _within(path) if _is_plan(file, others)]
        if not plans:
            raise SpecError(f"{at}{path}: the folder has no plans (expected files with apiVersion: {API_VERSION})")
        yield from plans
    elif not path.exists() and any(c in entry.path for c in "*?["):
        matches = sorted(Path(name) for name in glob(str(path), recursive=True))
        files = [file for file in matches if file.is_file() and not _is_fleet(file)]
        if not files:
            raise SpecError(f"{at}{path}: no file matches this pattern")
        yield from files
    else:
        yield path  # a missing file is an error of its row


def _within(folder: Path) -> list[Path]:
    inside = (p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and p.is_file())
    hidden = (p for p in inside if not any(part.startswith(".") for part in p.relative_to(folder).parts))
    return sorted(hidden)


def _is_fleet(file: Path) -> bool:
    return file.suffix.lower() in ENDINGS and is_fleet_file(file)


def _is_plan(file: Path, others: dict[str, None]) -> bool:
    """Whether a file of a folder is a plan; other files are remembered, so that the output can name them."""
    if _is_fleet(file):
        return False
    if API_VERSION.encode() in read_head(file, HEAD_BYTES):
        return True
    others[str(file)] = None
    return False


def read_source(source: Source) -> bytes:
    """The content of a plan.

    Raises
    ------
    SpecError
        It cannot be read.
    """
    return read_bytes(Path(source.file), source.file)
