"""Runs inside Pyodide: compiles the standard library and the engine for its Python, into two archives.

Bytecode needs no compiling in the browser, which is half of the time to start. Names are sorted and dates fixed, so
that the same sources give the same bytes. Entries are stored: the server's compression does better on the whole file.
"""

from __future__ import annotations

import sys
import zipfile
from importlib import _bootstrap_external as external  # the layout of .pyc files
from pathlib import Path
from types import CodeType
from typing import Any

# Of the standard library: what no planner needs. A list of what is left out, not of what is used: a module that only an
# error message needs would be missing from the latter.
_LEFT_OUT = """
    _pyio _pyrepl antigravity argparse bdb cmd code configparser cProfile ctypes curses dbm doctest email ensurepip
    filecmp fileinput ftplib getopt getpass html http idlelib imaplib lib2to3 mailbox mimetypes modulefinder
    multiprocessing netrc nturl2path optparse pdb pickletools platform plistlib poplib profile pstats pty pydoc
    pydoc_data rlcompleter sched secrets smtplib socketserver sqlite3 symtable sysconfig tabnanny this timeit
    tkinter trace tracemalloc turtle turtledemo unittest uuid venv wave webbrowser wsgiref xml xmlrpc zipapp
    zoneinfo _aix_support _android_support _apple_support _ios_support _osx_support
    _sysconfigdata__emscripten_wasm32-emscripten _pydatetime _pydecimal tarfile
"""
LEFT_OUT = frozenset(_LEFT_OUT.split())
LEFT_OUT_WITHIN = (  # tables of encodings: a plan is UTF-8, and a file of PowerShell UTF-16
    *(
        f"encodings/{family}"
        for family in (
            "big5",
            "cp0",
            "cp1",
            "cp5",
            "cp7",
            "cp8",
            "cp9",
            "euc",
            "gb",
            "hp",
            "hz",
            "iso",
            "johab",
            "koi",
            "kz",
            "mac",
        )
    ),
    *(f"encodings/{family}" for family in ("palmos", "ptcp", "shift", "tis", "rot", "uu", "quopri", "bz2", "zlib")),
    "asyncio/__main__",
    "asyncio/tools",
    "concurrent/interpreters",
    "logging/config",
    "logging/handlers",
    "pyodide/http",
    "urllib/request",
    "urllib/robotparser",
)
DATE = (1980, 1, 1, 0, 0, 0)


def bytecode(source: bytes, name: str) -> bytes:
    """An unchecked, hash-based .pyc without docstrings: no source and no date is looked at."""
    code = compile(source, name, "exec", dont_inherit=True, optimize=2)
    made: Any = external
    return bytes(made._code_to_hash_pyc(without_columns(code), b"\0" * 8, False))  # noqa: FBT003 (positional only)


def without_columns(code: CodeType) -> CodeType:
    """The code with the lines of its instructions but not their columns, a third of the bytes."""
    inner = (without_columns(c) if isinstance(c, CodeType) else c for c in code.co_consts)
    return code.replace(co_consts=tuple(inner), co_linetable=_lines(code))


def _lines(code: CodeType) -> bytes:
    """A table of locations with only lines (CPython, InternalDocs/code_objects.md: kinds 13 and 15)."""
    table = bytearray()
    before = code.co_firstlineno
    merged: list[list[Any]] = []  # code units, line
    for start, end, line in code.co_lines():
        units = (end - start) // 2
        if merged and merged[-1][1] == line:
            merged[-1][0] += units
        else:
            merged.append([units, line])
    for units, line in merged:
        while units > 0:
            part = min(units, 8)
            units -= part
            if line is None:
                table.append(0x80 | 15 << 3 | part - 1)
                continue
            table.append(0x80 | 13 << 3 | part - 1)
            table += _signed(line - before)
            before = line
    return bytes(table)


def _signed(value: int) -> bytes:
    """A signed number in groups of six bits, the lowest first."""
    rest = -value << 1 | 1 if value < 0 else value << 1
    found = bytearray()
    while rest >= 64:
        found.append(64 | rest & 63)
        rest >>= 6
    found.append(rest)
    return bytes(found)


def write(path: Path, entries: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            archive.writestr(zipfile.ZipInfo(name, DATE), entries[name])


def compiled(entries: dict[str, bytes]) -> dict[str, bytes]:
    """The entries with every module as bytecode."""
    return {
        f"{name}c" if name.endswith(".py") else name: bytecode(data, name) if name.endswith(".py") else data
        for name, data in entries.items()
    }


def standard_library(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/")]
        return {n: archive.read(n) for n in names if _wanted(n)}


def _wanted(name: str) -> bool:
    top = name.partition("/")[0].partition(".")[0]
    return top not in LEFT_OUT and not name.startswith(LEFT_OUT_WITHIN)


def main(folder: str) -> None:
    root = Path(folder)
    sources = root / "sources"
    engine = {p.relative_to(sources).as_posix(): p.read_bytes() for p in sources.rglob("*") if p.is_file()}
    write(root / "engine.zip", compiled(engine))
    write(root / "stdlib.zip", compiled(standard_library(root / "python_stdlib.zip")))


if __name__ == "__main__":
    main(sys.argv[1])
