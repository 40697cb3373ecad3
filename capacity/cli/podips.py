"""`kubectl podips`: how far the clusters of kubectl contexts are from running out of pod addresses."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.lazy import with_examples
from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, sink
from capacity.cli.tab_completion import complete_context

if TYPE_CHECKING:
    from capacity.advice.pod_room import RunningCluster, RunningSubnet

AT_ONCE = 8  # contexts that are read at the same time

app = typer.Typer(
    name="kubectl-podips",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def podips(
    context: Annotated[
        list[str] | None,
        typer.Option(
            "--context",
            help="kubectl context. Repeatable. Default: the current one.",
            metavar="NAME",
            autocompletion=complete_context,
        ),
    ] = None,
    all_contexts: Annotated[bool, typer.Option("--all-contexts", help="Every context of the kubeconfig.")] = False,
    saved: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Instead of a cluster: saved output of kubectl get nodes,pods,daemonsets -A -o json (- for stdin).",
            metavar="FILE",
        ),
    ] = None,
    vpc: Annotated[
        str | None,
        typer.Option(
            "--vpc",
            help="Saved output of aws ec2 describe-subnets for the VPC: adds free addresses per subnet.",
            metavar="FILE",
        ),
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", help="Longest time of each request to a cluster.", metavar="TIME")
    ] = "30s",
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Show how many more pods fit on a cluster's nodes, what limits them, and the addresses left.

    Reads with kubectl get, read-only: nodes, pods, DaemonSet aws-node, ENIConfigs, CNINodes. Kubernetes does not know
    the sizes of subnets: without --vpc, the verdict is unknown.

    Exit 0: answered, regardless of the verdict. Exit 2: a context cannot be read; the others are answered.

    Examples: kubectl podips · kubectl podips --context prod --context staging · kubectl podips --all-contexts -o json ·
    kubectl podips --vpc subnets.json
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    from capacity.cli.output import emit, note
    from capacity.errors import SpecError
    from capacity.pages.podips_page import answer

    if saved is not None and (context or all_contexts):
        raise SpecError("--from and --context cannot be combined")
    if context and all_contexts:
        raise SpecError("--context and --all-contexts cannot be combined")
    subnets = _subnets(vpc)
    inputs = {"from": saved, "vpc": vpc}
    if saved is not None:
        emit(answer([_saved(saved, subnets)], {}, inputs | {"contexts": []}), to)
        return
    from capacity.advice.pod_room import sharing

    clusters, failed = _read(context or [], subnets, _seconds(timeout), every=all_contexts)
    names = [c.context for c in clusters] + list(failed)
    if not clusters and len(failed) == 1:
        raise SpecError(next(iter(failed.values())))
    emit(answer(sharing(clusters), failed, inputs | {"contexts": names}), to)
    for name, reason in failed.items():
        note(f"error: {name}: {reason}")
    if failed:
        raise typer.Exit(2)


app.command(help=with_examples(inspect.cleandoc(podips.__doc__ or "")))(podips)


def _seconds(timeout: str) -> float:
    from capacity.errors import SpecError
    from capacity.units import parse_duration

    seconds = parse_duration(timeout, "--timeout")
    if seconds < 1:
        raise SpecError(f"--timeout: {timeout} is too short (expected 1s or more)")
    return seconds


def _subnets(vpc: str | None) -> tuple[tuple[RunningSubnet, bool], ...]:
    if vpc is None:
        return ()
    from capacity.readers.aws.described_subnets import read_described_subnets

    return read_described_subnets(vpc)


def _saved(path: str, subnets: tuple[tuple[RunningSubnet, bool], ...]) -> RunningCluster:
    from capacity.readers.decode import file_name
    from capacity.readers.kubernetes.running import running
    from capacity.readers.kubernetes.stream import stream_file

    return running(stream_file(path), file_name(path), subnets)


def _read(
    given: list[str], subnets: tuple[tuple[RunningSubnet, bool], ...], timeout: float, *, every: bool
) -> tuple[list[RunningCluster], dict[str, str]]:
    """The clusters of the contexts, in their order, and the contexts that cannot be read with the reason."""
    from concurrent.futures import ThreadPoolExecutor

    from capacity.errors import SpecError
    from capacity.readers.kubernetes.kubectl_command import read_contexts
    from capacity.readers.kubernetes.running import fetch_running

    chosen = read_contexts(timeout=timeout).chosen(given, every=every)
    found: list[RunningCluster] = []
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(min(AT_ONCE, len(chosen))) as pool:
        waiting = [(name, pool.submit(fetch_running, name, subnets, timeout=timeout)) for name in chosen]
        for name, future in waiting:
            try:
                found.append(future.result())
            except SpecError as error:
                failed[name] = str(error)
    return found, failed


def run() -> None:
    """Entry point of the installed command, with the exit codes of `capacity`."""
    from capacity.cli.main import run as guarded

    guarded(app)
