"""Read saved AWS CLI output: a folder of JSON or YAML files with any names, recognized by their content."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from capacity.errors import SpecError
from capacity.plan.document import YAML_LIMIT_BYTES
from capacity.readers.aws.answers import AwsAnswers, Sorter
from capacity.readers.decode import decode, how_to_unpack, parse_json_documents, parse_yaml_documents
from capacity.units import counted

MOST_BYTES = 2_000_000_000


def read_folder(path: Path) -> AwsAnswers:
    """Read all answers in a folder (and its subfolders), or in one file.

    Raises
    ------
    SpecError
        Nothing can be read, or a file starts as JSON and is not complete.
    """
    files = _files(path)
    return _answers([(file, str(file.relative_to(path)) if file != path else file.name) for file in files], str(path))


def read_files(files: Sequence[Path]) -> AwsAnswers:
    """Read the answers in some files together; see :func:`read_folder`."""
    return _answers([(file, file.name) for file in files], ", ".join(file.name for file in files))


def _answers(files: Sequence[tuple[Path, str]], where: str) -> AwsAnswers:
    sorter = Sorter()
    strangers, useless = [], []
    for file, name in files:
        blob = _bytes(file, name)
        why = how_to_unpack(blob[:4], name, "then run the same command")
        text = None if why else _text(blob, name)
        failed = None if text is None else saved_error(text)
        if failed:
            why = f"is a saved error ({failed}), not output of a command"
        if why:
            useless.append(f"{name} {why}")
        elif text is None or not _take_all(sorter, text, name):
            strangers.append(name)
    if len(strangers) + len(useless) == len(files):
        what = useless[0] if useless else "holds no output of the AWS CLI" if files else "is empty"
        error = SpecError(f"{where}: {what} (expected files written by 'aws … --output json')")
        for line in useless[1:]:
            error.add_note(line)
        raise error
    for line in useless:
        sorter.remark(line)
    if strangers:
        sorter.remark(
            f"not output of the AWS CLI, ignored: {', '.join(strangers[:10])}" + (" …" if strangers[10:] else "")
        )
    return sorter.done()


def saved_error(text: str) -> str | None:
    """Code and operation of an error that the AWS CLI wrote instead of an answer; None if there is none.

    >>> saved_error("An error occurred (AccessDenied) when calling the DescribeSubnets operation: no")
    'AccessDenied of DescribeSubnets'
    """
    found = _ERROR.match(text.lstrip()[:2000])
    return f"{found['code']} of {found['operation']}" if found else None


_ERROR = re.compile(
    r"(?:aws: \[ERROR\]: )?An error occurred \((?P<code>\w[\w.]*)\) when calling the (?P<operation>\w+)"
)


def _take_all(sorter: Sorter, text: str, name: str) -> bool:
    """Sort all documents of a file; False if none of them is an answer."""
    known = [sorter.add(document, name) for document in _documents(text, name)]
    if any(known) and not all(known):
        sorter.remark(f"{name}: {counted(known.count(False), 'document')} not output of the AWS CLI: ignored")
    return any(known)


def _documents(text: str, name: str) -> Iterator[Any]:
    """Documents of a file: JSON, or YAML as ``aws --output yaml`` writes it."""
    if text.lstrip()[:1] in ("{", "["):
        yield from parse_json_documents(text, name)
    elif (name.endswith((".yaml", ".yml")) or "." not in name) and len(text) <= YAML_LIMIT_BYTES:
        try:
            yield from parse_yaml_documents(text, name)
        except SpecError:
            return  # a file of another tool


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SpecError(f"{path}: no such folder")
    return sorted(
        p for p in path.rglob("*") if p.is_file() and not any(part[:1] == "." for part in p.relative_to(path).parts)
    )


def _bytes(file: Path, name: str) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SpecError(f"{name}: is larger than {MOST_BYTES:,} bytes")
        return file.read_bytes()
    except OSError as error:
        raise SpecError(f"{name}: {error.strerror or error}") from error


def _text(blob: bytes, name: str) -> str | None:
    """Text of a file, None if it is not text."""
    try:
        return decode(blob, name)
    except SpecError:
        return None  # an image: not an answer of AWS
