"""Reads files and streams up to a size limit, and writes files atomically; all rooms use it."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from capacity.errors import SpecError, check_path

LARGEST_BYTES = 128 * 1024 * 1024  # largest input held in memory; also stops an endless device
LARGEST_TEXT_BYTES = 16 * 1024 * 1024  # largest YAML, TOML or CSV text: reading takes many times its size
DEEPEST = 100  # deepest nesting in YAML and JSON
STDIN, PIPE = "<stdin>", "<pipe>"  # names of inputs without a path; no file has these names

_CHUNK = 1 << 20
_MOST_LINKS = 40  # the kernel's limit; path_resolution(7)
_OWN_DESCRIPTOR = re.compile(r"(?:/proc/(?P<pid>[0-9]+)(?:/task/[0-9]+)?|/dev)/fd/(?P<fd>[0-9]+)")
_FLAGS = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
_WAITING = ("SIGINT", "SIGTERM", "SIGHUP")


# --- reading ----------------------------------------------------------------------------


def read_bytes(path: Path | str, name: str = "", largest: int = LARGEST_BYTES) -> bytes:
    """Content of a file, device or pipe, or of standard input if ``path`` is ``-``; read once.

    Parameters
    ----------
    name : str
        Name in messages; the path if empty.
    largest : int
        Most bytes to read. [bytes]

    Raises
    ------
    SpecError
        It cannot be read, is a directory, or is larger than ``largest``.
    """
    name = name or input_name(path)
    if str(path) == "-":
        return read_stream(stdin(), name, largest)
    if "\0" in str(path):
        raise SpecError(f"{str(path)!r} cannot name a file")
    try:
        with Path(path).open("rb") as stream:
            return read_stream(stream, name, largest)
    except FileNotFoundError:
        raise SpecError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise SpecError(f"{name}: is a directory (expected a file)") from None
    except OSError as error:
        raise SpecError(f"{name}: {error.strerror or error}") from error


def read_head(path: Path, size: int) -> bytes:
    """The first bytes of a file.

    Raises
    ------
    SpecError
        It cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(size)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror or error}") from error


def read_stream(stream: BinaryIO, name: str, largest: int = LARGEST_BYTES) -> bytes:
    """The content of a stream of at most ``largest`` bytes.

    Raises
    ------
    SpecError
        The stream has more bytes; only ``largest`` of them are read.
    """
    chunks: list[bytes] = []
    left = largest + 1
    while left > 0:
        chunk = stream.read(min(_CHUNK, left))
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        left -= len(chunk)
    raise SpecError(f"{name}: larger than {largest >> 20} MB (is it the right file?)")


def input_name(path: Path | str) -> str:
    """The name of an input in messages: its path, or a word for standard input or a shell's ``<(…)``."""
    check_path("path", path)
    if str(path) == "-":
        return STDIN
    try:
        descriptor = _target(Path(path))[1]
    except (OSError, ValueError):
        descriptor = None
    return str(path) if descriptor is None else PIPE if descriptor else STDIN


def stdin() -> BinaryIO:
    """Standard input as bytes.

    Raises
    ------
    SpecError
        Standard input is closed.
    """
    if sys.stdin is None:
        raise SpecError(f"{STDIN}: standard input is closed")
    return sys.stdin.buffer


# --- writing ----------------------------------------------------------------------------


def write_file(path: Path | str, content: str | bytes, name: str = "") -> None:
    """Write ``content`` to ``path``.

    A file is replaced in one step: a reader sees the old or the new file, never a part of it, and an interrupt (SIGINT,
    SIGTERM, SIGHUP) waits until that is done. The file keeps its mode; a new file gets the mode that the umask allows.
    A symbolic link is followed. A device, a FIFO, an open descriptor such as ``/dev/stdout``, and a file in a folder
    that cannot be written (a file mounted into a container) are written in place.

    Parameters
    ----------
    name : str
        Name of the file in messages, such as ``--out-file 'x'``; the path if empty.

    Raises
    ------
    SpecError
        The file cannot be written.
    """
    name = name or repr(str(path))
    blob = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    if "\0" in str(path):
        raise SpecError(f"{name}: cannot name a file")
    try:
        target, descriptor = _target(Path(path))
        if descriptor is not None:
            _write_all(os.dup(descriptor), blob)
            return
        state = _state(target)
        if state is not None and not stat.S_ISREG(state.st_mode):
            _write_in_place(target, blob)
            return
        with interrupts_wait():
            _replace(target, blob, state)
    except BrokenPipeError:
        return  # a closed reader is not an error, as on standard output
    except OSError as error:
        raise SpecError(f"{name}: {error.strerror or error}") from error


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Delay SIGINT, SIGTERM and SIGHUP until the end of the block.

    Python handles signals only in its main thread; in other threads there is nothing to delay.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before: dict[int, Any] = {}
    try:
        for number in (getattr(signal, s) for s in _WAITING if hasattr(signal, s)):
            handler = signal.getsignal(number)
            if handler not in (signal.SIG_IGN, None):  # None: the handler was not set by Python
                before[number] = handler
                signal.signal(number, lambda caught, _frame: came.append(caught))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


def _target(path: Path) -> tuple[Path, int | None]:
    """The path with its links resolved, or the open descriptor of this process that it names."""
    for _ in range(_MOST_LINKS):
        real = Path(os.path.realpath(path.parent)) / path.name
        match = _OWN_DESCRIPTOR.fullmatch(str(real))
        if match and match["pid"] in (None, str(os.getpid())):
            return real, int(match["fd"])
        if not os.path.islink(real):
            return real, None
        path = real.parent / os.readlink(real)
    raise OSError(0, "Too many levels of symbolic links")


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _write_in_place(path: Path, blob: bytes) -> None:
    _write_all(os.open(path, os.O_WRONLY | os.O_TRUNC | _FLAGS), blob)


def _write_all(descriptor: int, blob: bytes) -> None:
    """Write all bytes and close the descriptor."""
    try:
        rest = memoryview(blob)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


def _replace(path: Path, blob: bytes, state: os.stat_result | None) -> None:
    temporary = path.parent / f".{path.name[:40]}.{os.urandom(8).hex()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o666)
    except OSError:
        if state is None or not os.access(path, os.W_OK):
            raise
        _write_in_place(path, blob)  # the folder is not writable, but the file is
        return
    try:
        _keep(descriptor, state)
        _write_all(descriptor, blob)
        _rename(temporary, path, blob, state)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _keep(descriptor: int, state: os.stat_result | None) -> None:
    """Copy the mode, and the owner if allowed, of the replaced file."""
    if state is None or not hasattr(os, "fchmod"):
        return
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (state.st_uid, state.st_gid):
        with suppress(OSError):
            os.fchown(descriptor, state.st_uid, state.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(state.st_mode))


def _rename(temporary: Path, path: Path, blob: bytes, state: os.stat_result | None) -> None:
    import errno

    try:
        os.replace(temporary, path)
    except OSError as error:
        if state is None or error.errno != errno.EBUSY:
            raise
        os.unlink(temporary)
        _write_in_place(path, blob)  # a mount point cannot be renamed over
