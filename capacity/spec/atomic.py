"""Replacing a file in one step."""

from __future__ import annotations

import os
from pathlib import Path

from capacity.errors import SpecError


def replace_file(path: Path, content: str | bytes, name: str = "") -> None:
    """Write ``content`` to ``path``: a reader sees the old file or the new one, never half of it.

    Parameters
    ----------
    name : str
        What the message calls the file, such as ``--out-file 'x'``; its path where empty.

    Raises
    ------
    SpecError
        The file cannot be written.
    """
    import tempfile

    name = name or str(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise SpecError(f"{name}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)
        os.chmod(temporary, 0o644 if not path.exists() else path.stat().st_mode & 0o777)
        os.replace(temporary, path)
    except OSError as error:
        os.unlink(temporary)
        raise SpecError(f"{name}: {error.strerror}") from error
    except BaseException:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise
