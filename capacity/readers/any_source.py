"""Read files of any sources as one draft: the source of each is detected from its content; folders can mix sources."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from capacity.errors import SpecError
from capacity.files import read_head, stdin
from capacity.readers.decode import file_name, how_to_unpack, read_documents
from capacity.readers.detect import WANTED, detect, list_items
from capacity.readers.draft import Note, PlanDraft
from capacity.readers.merge import merge_all

CODE = (".tf", ".tf.json")
OF_CODE = (".tfvars", ".tfvars.json", ".tftpl", ".hcl")  # read with the code in the same folder
TERRAGRUNT = "terragrunt.hcl"  # named as not read if no Terraform code is beside it
DATA = (".yaml", ".yml", ".json", ".tfstate", ".template", ".txt")
ACCEPTED = ", ".join(source for source in WANTED if source != "plan")
LARGE = 16 * 2**20  # bytes: a larger file is recognized by its start
_HEAD = 2**16
_HIDDEN = ("node_modules", "__pycache__")
_STARTS = (  # in the start of a large JSON file
    (re.compile(rb'"terraform_version"\s*:'), "terraform"),
    (re.compile(rb'"(Subnets|NetworkInterfaces|Reservations|InstanceTypes|AutoScalingGroups)"\s*:\s*\['), "aws"),
    (re.compile(rb'"(apiVersion|kind)"\s*:\s*"'), "kubectl"),
)


def read(paths: Sequence[str], cluster: str = "") -> PlanDraft:
    """Read files and folders; the sources are merged in the order in which they appear.

    ``cluster`` is the name of the cluster if answers of AWS have several.

    Raises
    ------
    SpecError
        A file cannot be read, or no file has a part of a plan.
    """
    with _with_stdin(paths) as named:
        found: dict[str, list[str]] = {}
        unknown: list[Note] = []
        for path in named:
            is_folder = Path(path).is_dir()
            for file in _files(path) if is_folder else [path]:
                sources, words = sources_of(file)
                if not sources and not is_folder:
                    raise SpecError(f"{file}: {words} (accepted sources: {ACCEPTED})")
                if not sources:
                    unknown.append(Note(f"{file_name(file)}: ignored {words}", unread=True))
                for source in sources:
                    found.setdefault(source, []).append(file)
        if not found:
            where = ", ".join(map(file_name, named))
            raise _nothing_found(where, unknown)
        merged = merge_all(_read_source(source, files, cluster) for source, files in found.items())
    read_elsewhere = [n for n in merged.notes if n.elsewhere in found]
    return replace(merged, notes=(*(n for n in merged.notes if n not in read_elsewhere), *unknown))


def _nothing_found(where: str, unknown: Sequence[Note]) -> SpecError:
    error = SpecError(f"{where}: no file of a known source" + (f" ({unknown[0].text})" if unknown else ""))
    for note in unknown[1:]:
        error.add_note(note.text)
    return error


def _read_source(source: str, files: Sequence[str], name: str) -> PlanDraft:
    if source == "aws":
        from capacity.readers.aws.aws_cluster import parse_cluster, with_unread
        from capacity.readers.aws.compared import with_comparison
        from capacity.readers.aws.draft import aws_draft
        from capacity.readers.aws.folder import read_files

        cluster = parse_cluster(with_unread(read_files([Path(f) for f in files]), name), name)
        return with_comparison(aws_draft(cluster, f"AWS output in {', '.join(map(file_name, files))}"), cluster)
    from capacity.readers.sources import read_source

    return read_source(source, files)


@contextmanager
def _with_stdin(paths: Sequence[str]) -> Iterator[list[str]]:
    """The paths with standard input, which cannot be read twice, as a file."""
    if "-" not in paths:
        yield list(paths)
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder, "stdin")
        with copy.open("wb") as stream:
            shutil.copyfileobj(stdin(), stream)
        yield [str(copy) if p == "-" else p for p in dict.fromkeys(paths)]


def _files(folder: str) -> Iterator[str]:
    """Files of a folder that can have a part of a plan; the folders of Terraform code are one entry each."""
    code: list[Path] = []
    wrapped: list[Path] = []
    for path in sorted(Path(folder).rglob("*")):
        inside = path.relative_to(folder).parts
        if any(part.startswith(".") or part in _HIDDEN for part in inside):
            continue
        if path.name == TERRAGRUNT:
            wrapped.append(path)
        if not path.is_file() or path.name.endswith(OF_CODE):
            continue
        if path.name.endswith(CODE):
            if not any(path.is_relative_to(known) for known in code):
                code = [c for c in code if not c.is_relative_to(path.parent)] + [path.parent]
        elif path.name.endswith(DATA):
            yield str(path)
    yield from map(str, code)
    yield from (str(path) for path in wrapped if not any(path.is_relative_to(folder) for folder in code))


def sources_of(file: str) -> tuple[list[str], str]:
    """Sources that read a file, in the order of its documents; and what it is, if there is none.

    Raises
    ------
    SpecError
        The file cannot be read, or is compressed.
    """
    path = Path(file)
    if path.is_dir() or path.name.endswith((*CODE, ".tfvars", ".tfvars.json", ".hcl")):
        return ["terraform"], ""
    head = read_head(path, _HEAD) if path.is_file() else b""
    packed = how_to_unpack(head[:4], path.name)
    if packed is not None:
        raise SpecError(f"{path.name} {packed}")
    if _is_saved_error(head):
        return ["aws"], ""
    if path.is_file() and path.stat().st_size > LARGE:
        return [next((source for start, source in _STARTS if start.search(head)), "kubectl")], ""
    return _sources_of_documents(file)


def _sources_of_documents(file: str) -> tuple[list[str], str]:
    found: dict[str, None] = {}
    words = "an empty file"
    for loaded in read_documents(file):
        if _is_answer(loaded.value):
            found["aws"] = None
            continue
        for value in list_items(loaded.value):
            source, what = detect(value)
            if source == "plan" or source is None or "another chart" in what:
                words = f"{what}: merge into it with --into" if source == "plan" else what
            else:
                found[source] = None
    return list(found), words


def _is_answer(value: object) -> bool:
    """Whether a document is an answer of AWS, with its wrapper or without."""
    from capacity.readers.aws.answers import Sorter

    source, _ = detect(value)
    if source is not None:
        return source == "aws"
    try:
        return Sorter().add(value, "")
    except SpecError:
        return True  # the reader says what is wrong with it


def _is_saved_error(head: bytes) -> bool:
    from capacity.readers.aws.folder import saved_error

    return saved_error(head[:4000].decode("utf-8", "replace")) is not None
