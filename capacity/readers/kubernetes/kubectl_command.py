"""Run kubectl, read-only: its contexts, and the objects that it lists."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from capacity.errors import SpecError, did_you_mean
from capacity.readers.kubernetes.stream import stream_binary
from capacity.readers.values import items, mapping, path_of

GRACE = 5  # seconds after kubectl's own timeout, until it is ended: a credential plugin has none
INSTALL = "https://kubernetes.io/docs/tasks/tools/"


@dataclass(frozen=True)
class Contexts:
    """The contexts of the kubeconfig in its order, and the current one; empty if none is."""

    names: tuple[str, ...]
    current: str

    def chosen(self, given: Sequence[str], *, every: bool = False) -> tuple[str, ...]:
        """The given contexts, all, or the current one.

        Raises
        ------
        SpecError
            A context is not in the kubeconfig, or there is none to choose.
        """
        for name in given:
            if name not in self.names:
                known = f"the kubeconfig has {', '.join(self.names)}" if self.names else "the kubeconfig has none"
                raise SpecError(f"--context: no context {name!r}{did_you_mean(name, self.names) or f' ({known})'}")
        if every and not self.names:
            raise SpecError("--all-contexts: the kubeconfig has no contexts")
        if not every and not given and not self.current:
            raise SpecError("the kubeconfig has no current context (give --context NAME or --all-contexts)")
        return self.names if every else tuple(dict.fromkeys(given)) or (self.current,)


def read_contexts(kubectl: str = "kubectl", timeout: float | None = None) -> Contexts:
    """The contexts of the kubeconfig.

    Raises
    ------
    SpecError
        kubectl is not installed, or cannot read the kubeconfig.
    """
    with _started(kubectl, ["config", "view", "-o", "json"], timeout) as (process, told):
        assert process.stdout is not None, "stdout is a pipe"
        text = process.stdout.read()
        told.finish("kubectl config view")
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SpecError("kubectl config view: not JSON") from error
    names = (mapping(c).get("name") for c in items(mapping(document).get("contexts")))
    current = path_of(document, "current-context")
    return Contexts(tuple(n for n in names if isinstance(n, str) and n), current if isinstance(current, str) else "")


def run_kubectl(
    kubectl: str, context: str | None, arguments: Sequence[str], timeout: float | None = None
) -> Iterator[tuple[str, Any]]:
    """Stream the objects that kubectl prints; an error has the message of kubectl.

    ``timeout``: seconds for each of kubectl's requests, and for the whole command with some grace.
    """
    limit = [f"--request-timeout={timeout:g}s"] if timeout else []
    command = [*(["--context", context] if context else []), *arguments, *limit]
    with _started(kubectl, command, timeout) as (process, told):
        assert process.stdout is not None, "stdout is a pipe"
        try:
            yield from stream_binary(process.stdout, "kubectl")
        except SpecError:
            if process.wait() == 0:
                raise
        told.finish(f"kubectl {arguments[0]} {arguments[1]}")


@dataclass
class _Told:
    """The end of a kubectl: its exit code, its errors, and whether it was ended after its time."""

    process: subprocess.Popen[bytes]
    errors: Any
    late: threading.Event
    timeout: float | None

    def finish(self, what: str) -> None:
        """Wait for kubectl.

        Raises
        ------
        SpecError
            It failed, or took too long.
        """
        code = self.process.wait()
        if self.late.is_set():
            raise SpecError(f"{what}: no answer within {self.timeout:g} s (--timeout allows more)")
        if code:
            self.errors.seek(0)
            lines = self.errors.read(2000).decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise SpecError(f"{what}: {lines[-1]}")


@contextmanager
def _started(
    kubectl: str, arguments: Sequence[str], timeout: float | None
) -> Iterator[tuple[subprocess.Popen[bytes], _Told]]:
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [kubectl, *arguments],
                stdout=subprocess.PIPE,
                stderr=errors,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # to end it with its credential plugin, which has the same pipe
            )
        except FileNotFoundError as error:
            raise SpecError(f"{kubectl}: cannot be run (not found; to install it: {INSTALL})") from error
        except OSError as error:
            raise SpecError(f"{kubectl}: cannot be run ({error.strerror or error})") from error
        late = threading.Event()
        timer = threading.Timer((timeout or 0) + GRACE, _end, (process, late))
        if timeout:
            timer.start()
        try:
            yield process, _Told(process, errors, late, timeout)
        finally:
            timer.cancel()
            if process.stdout is not None:
                process.stdout.close()
            if process.poll() is None:
                _kill(process)
            process.wait()


def _end(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
