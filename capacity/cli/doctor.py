"""`capacity doctor`: the troubleshooting list on a live cluster or on saved output."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.aws_options import Cluster, Folder, Profile, Region, cluster_found
from capacity.cli.options import Color, OutFile, Output, Quiet, Wide, one_of, sink
from capacity.cli.output import emit


def register(app: typer.Typer) -> None:
    """Add the verb to the command line."""
    app.command("doctor")(doctor)


def doctor(
    cluster: Cluster = None,
    region: Region = None,
    profile: Profile = None,
    folder: Folder = None,
    kubectl: Annotated[
        Path | None,
        typer.Option(
            "--kubectl",
            help="`kubectl get nodes,pods,daemonsets,deployments -A -o json`, saved (- for stdin).",
            metavar="FILE",
        ),
    ] = None,
    fail_on: Annotated[
        str,
        typer.Option(
            "--fail-on", help="error: exit 1 if a check fails. warning: also if a check warns.", metavar="LEVEL"
        ),
    ] = "error",
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 regardless of the verdict.")] = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
    wide: Wide = False,
) -> None:
    """Troubleshoot the network of a cluster: addresses, ENI limits, security groups, IAM, CNI, CoreDNS.

    Reads live data with your credentials (read-only), or a folder of saved output. A check without data is
    unknown, never ok.

    Exit 0: no check fails. Exit 1: a check fails (with --fail-on warning, also if one warns).

    Examples: capacity doctor --cluster shop · capacity doctor --from answers/ ·
    kubectl get nodes,pods,ds,deploy -A -o json | capacity doctor --cluster shop --kubectl -
    """
    to = sink(output, out_file, color, quiet=quiet, wide=wide)
    level = one_of("--fail-on", fail_on, ("error", "warning"))
    found = cluster_found(cluster, region, profile, folder, doctor=True)
    from capacity.advice.doctor import diagnose, verdict
    from capacity.pages.doctor_page import answer
    from capacity.readers.aws.doctor import evidence_of
    from capacity.readers.kubernetes.facts import streamed

    evidence = evidence_of(found, streamed(str(kubectl)) if kubectl else ())
    checks = diagnose(evidence)
    emit(answer(checks, evidence.model, found, {"from": folder, "kubectl": kubectl}), to)
    if verdict(checks) in (("fail",) if level == "error" else ("fail", "warn")) and not exit_zero:
        raise typer.Exit(1)
