"""Read saved AWS answers: a folder of JSON files with any names, recognized by their content."""

from __future__ import annotations

from pathlib import Path

from capacity.errors import SpecError
from capacity.readers.aws.answers import AwsAnswers, Sorter
from capacity.readers.decode import decode, parse_json_documents

MOST_BYTES = 2_000_000_000


def read_folder(path: Path) -> AwsAnswers:
    """Read all answers in a folder (and its subfolders), or in one file.

    Raises
    ------
    SpecError
        Nothing can be read, or a file starts as JSON and is not complete.
    """
    files = _files(path)
    sorter = Sorter()
    strangers = []
    for file in files:
        name = str(file.relative_to(path)) if file != path else file.name
        blob = _text(file, name)
        if blob is None or blob.lstrip()[:1] not in ("{", "["):
            strangers.append(name)
            continue
        known = [sorter.add(document, name) for document in parse_json_documents(blob, name)]
        if not any(known):
            strangers.append(name)
    if len(strangers) == len(files):
        what = "holds no output of the AWS CLI" if files else "is empty"
        raise SpecError(f"{path}: {what} (expected files written by 'aws … --output json')")
    if strangers:
        sorter.remark(
            f"not output of the AWS CLI, ignored: {', '.join(strangers[:10])}" + (" …" if strangers[10:] else "")
        )
    return sorter.done()


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SpecError(f"{path}: no such folder")
    return sorted(
        p for p in path.rglob("*") if p.is_file() and not any(part[:1] == "." for part in p.relative_to(path).parts)
    )


def _text(file: Path, name: str) -> str | None:
    """Text of the file, None if it is not text."""
    try:
        if file.stat().st_size > MOST_BYTES:
            raise SpecError(f"{name}: is larger than {MOST_BYTES:,} bytes")
        blob = file.read_bytes()
    except OSError as error:
        raise SpecError(f"{name}: {error.strerror or error}") from error
    try:
        return decode(blob, name)
    except SpecError:
        return None  # an image, an archive: not an answer of AWS
