"""`capacity doctor`: the troubleshooting list on a live cluster or on saved answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.import_aws import Cluster, Folder, Profile, Region, cluster_found
from capacity.cli.options import Color, OutFile, Output, Quiet, one_of, sink
from capacity.cli.output import Answer, Table, emit

if TYPE_CHECKING:
    from capacity.advice.doctor import Checkup
    from capacity.readers.aws.aws_cluster import AwsCluster


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
        str, typer.Option("--fail-on", help="error: exit 1 when a check fails. warning: also on warn.", metavar="LEVEL")
    ] = "error",
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 whatever the verdict.")] = False,
    output: Output = "table",
    out_file: OutFile = None,
    color: Color = "auto",
    quiet: Quiet = False,
) -> None:
    """What is wrong with the network of a cluster: addresses, ENI limits, security groups, IAM, CNI, CoreDNS.

    Read-only, with your credentials; or from a folder of saved answers. A check whose evidence is missing is
    unknown, never ok. Exit 0: nothing fails. Exit 1: something fails (with --fail-on warning also: warns).

    Examples: capacity doctor --cluster shop · capacity doctor --from answers/ ·
    kubectl get nodes,pods,ds,deploy -A -o json | capacity doctor --cluster shop --kubectl -
    """
    to = sink(output, out_file, color, quiet)
    level = one_of("--fail-on", fail_on, ("error", "warning"))
    found = cluster_found(cluster, region, profile, folder, doctor=True)
    from capacity.advice.doctor import diagnose, verdict
    from capacity.readers.aws.doctor import evidence_of
    from capacity.readers.kubernetes.facts import streamed

    checks = diagnose(evidence_of(found, streamed(str(kubectl)) if kubectl else ()))
    emit(answer(checks, found, kubectl, folder), to)
    if verdict(checks) in (("fail",) if level == "error" else ("fail", "warn")) and not exit_zero:
        raise typer.Exit(1)


_MARKS = {"fail": "FAIL", "warn": "warn", "unknown": "?", "ok": "ok"}


def answer(checks: tuple[Checkup, ...], found: AwsCluster, kubectl: Path | None, folder: Path | None) -> Answer:
    """The list as an answer: grave things first on the page, in the order of the list in JSON."""
    from capacity.advice.doctor import STATUSES, verdict

    rows = [
        {
            "id": c.kind.ident,
            "status": c.status,
            "severity": c.kind.severity,
            "title": c.kind.title,
            "where": c.where,
            "evidence": c.evidence,
            "command": c.command or None,
            "why": c.kind.why,
            "source": c.kind.source,
        }
        for c in checks
    ]
    counts = {s: sum(r["status"] == s for r in rows) for s in reversed(STATUSES)}
    overall = verdict(checks)
    graded = sorted(rows, key=lambda r: -STATUSES.index(str(r["status"])))
    shown = [{**r, "status": _MARKS[str(r["status"])]} for r in graded]
    todo = [r for r in graded if r["status"] in ("fail", "warn") and r["command"]]
    columns = (("status", "status"), ("id", "check"), ("where", "where"), ("evidence", "evidence"))
    tally = ", ".join(f"{n} {s}" for s, n in counts.items())
    blocks: list[str | Table] = [f"{found.name}: {_SENTENCES[overall]} ({tally}).\n", Table(columns, shown)]
    if todo:
        blocks.append("\nHow to fix it")
        blocks += [f"  {r['id']}{' ' + str(r['where']) if r['where'] else ''}: {r['command']}" for r in todo]
    return Answer(
        command="doctor",
        inputs={
            "cluster": found.name,
            "region": found.region,
            "from": str(folder) if folder else None,
            "kubectl": str(kubectl) if kubectl else None,
        },
        results={"verdict": overall, "counts": counts, "checks": rows},
        blocks=blocks,
        rows=rows,
        warnings=[g.line for g in found.gaps] + list(found.answers.notes),
    )


_SENTENCES = {
    "fail": "something is broken",
    "warn": "works, with risks",
    "unknown": "nothing bad seen, but not everything could be looked at",
    "ok": "all well",
}
