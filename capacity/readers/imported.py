"""Import a complete plan from a file, a folder or a live cluster, for Python programs.

``read_…`` reads only files; ``fetch_…`` reads from AWS or the cluster (read-only). Each returns an
:class:`Imported`, the plan that ``capacity import`` writes. With ``into`` it is merged into an existing plan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capacity.errors import SpecError, check_each, check_kind
from capacity.readers.complete import complete
from capacity.readers.draft import Note, PlanDraft
from capacity.readers.drift import Difference, drift
from capacity.readers.existing_plan import Base, parse_base, read_base, render, render_into
from capacity.readers.merge import merge
from capacity.readers.plan_document import plan_document

if TYPE_CHECKING:
    from capacity.plan.model import Plan


@dataclass(frozen=True, repr=False)
class Imported:
    """Result of an import.

    Attributes
    ----------
    source : str
        The input, such as ``eksctl cluster.yaml``.
    text : str
        The plan as commented YAML, as ``capacity import`` writes it.
    notes : tuple of Note
        What is unknown, assumed, or different; ``path`` is the place in the plan.
    assumed : tuple of str
        Paths of the plan with an assumption, sorted; a later import can replace them.
    found : PlanDraft
        Values of the source, before gaps are filled.
    whole : PlanDraft
        The whole plan as a draft.
    """

    source: str
    text: str
    notes: tuple[Note, ...]
    assumed: tuple[str, ...]
    found: PlanDraft = field(repr=False)
    whole: PlanDraft = field(repr=False)

    def __repr__(self) -> str:
        whole = self.whole
        counts = f"{len(whole.subnets)} subnets, {len(whole.node_groups)} node groups, {len(whole.workloads)} workloads"
        return f"Imported({self.source!r}: {counts}, {len(self.notes)} notes, {len(self.assumed)} assumed)"

    @cached_property
    def plan(self) -> Plan:
        """The plan, ready for `check`."""
        from capacity.plan.document import parse_yaml
        from capacity.plan.parse import parse_plan

        return parse_plan(parse_yaml(self.text, self.source))

    @property
    def document(self) -> dict[str, Any]:
        """The plan as plain mappings, lists, text and numbers."""
        return plan_document(self.whole)

    def differences(self, plan: Path | str | Imported) -> tuple[Difference, ...]:
        """Differences between a plan and the source; only values of the source are compared.

        Raises
        ------
        SpecError
            `check` would refuse the plan.
        """
        return tuple(drift(_base(plan).full, self.found))

    def write(self, path: Path | str) -> None:
        """Write the commented plan to a file, completely or not at all.

        Raises
        ------
        SpecError
            The file cannot be written.
        """
        from capacity.files import write_file

        write_file(Path(path), self.text)


def imported(draft: PlanDraft, into: Path | str | Imported | None = None) -> Imported:
    """Complete a draft, merged into another plan if one is given.

    Raises
    ------
    SpecError
        The draft has no part of a plan, or `check` would refuse the plan it is merged into.
    """
    if draft.is_empty:
        raise _nothing_read(draft)
    if into is None:
        whole = complete(draft)
        text = render(whole)
    else:
        base = _base(into)
        whole = complete(merge(base.draft, draft))
        text = render_into(whole, base)
    return Imported(whole.source, text, whole.notes, tuple(sorted(whole.assumed)), draft, whole)


def _nothing_read(draft: PlanDraft) -> SpecError:
    """Error for an input without a part of a plan: the likely reason first, all notes under it."""
    notes = sorted(draft.notes, key=lambda note: not note.unread)
    why = f" ({notes[0].text})" if notes else ""
    error = SpecError(f"{draft.source or 'import'}: the input has no part of a plan{why}")
    for note in notes[1:]:
        error.add_note(note.text)
    return error


def _base(plan: Path | str | Imported) -> Base:
    if isinstance(plan, Imported):
        return parse_base(plan.text, plan.source)
    return read_base(Path(_path(plan, "a plan")))


def _path(path: object, what: str) -> str:
    """Path as text; anything else is refused here, not inside a reader."""
    if not isinstance(path, (str, Path)) or not str(path):
        raise SpecError(f"{path!r} is not a path (expected {what})")
    return str(path)


def _check_into(value: object) -> None:
    if value is not None:
        check_kind("into", value, (str, Path, Imported), "the path of a plan, an Imported, or None")


def _check_text(what: str, value: object) -> None:
    if value is not None:
        check_kind(what, value, str, "text, or None")


def _of_files(source: str, paths: Sequence[object], into: Path | str | Imported | None) -> Imported:
    from capacity.readers.sources import FILE_SOURCES, read_source

    _check_into(into)
    what = f"a file of {source}: {FILE_SOURCES[source].help}"
    if not paths:
        raise SpecError(f"no path is given (expected {what})")
    return imported(read_source(source, [_path(p, what) for p in paths]), into)


def read_files(*paths: Path | str, into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from files and folders of any sources; the source of each is detected from its content.

    Parameters
    ----------
    *paths : path
        Files or folders; ``-`` is standard input. If sources differ, the first one takes precedence.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read, or none is of a known source.
    """
    return _of_files("files", paths, into)


def read_kubectl(*paths: Path | str, into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from saved Kubernetes objects (``kubectl get … -o json`` or YAML, any size).

    Parameters
    ----------
    *paths : path
        Files with nodes, pods, workloads, autoscalers, the aws-node DaemonSet, ENIConfigs; ``-`` is standard input.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read or has other content: the message names the source that reads it.
    """
    return _of_files("kubectl", paths, into)


def read_terraform(
    *paths: Path | str,
    variables: Mapping[str, str] | None = None,
    var_files: Sequence[Path | str] = (),
    vpc: str | None = None,
    into: Path | str | Imported | None = None,
) -> Imported:
    """Import a plan from Terraform: ``terraform show -json`` of a plan or state, a state file, or a folder of .tf text.

    Parameters
    ----------
    *paths : path
        Files or folders; .tf text requires the extra ``terraform`` and is read as far as it can be evaluated.
    variables : mapping of str to str, optional
        Values of variables, as for ``terraform plan -var``.
    var_files : sequence of path
        Files of values, as for ``terraform plan -var-file``.
    vpc : str, optional
        The VPC if there are several: its ID, name or address.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read or has other content: the message names the source that reads it.
    MissingExtra
        .tf text is given and python-hcl2 is not installed.
    """
    from capacity.readers.terraform.source import read
    from capacity.readers.terraform.source_blocks import Inputs

    _check_into(into)
    what = "a file or folder of Terraform"
    if not paths:
        raise SpecError(f"no path is given (expected {what})")
    if variables is not None:
        check_kind("variables", variables, Mapping, "a mapping of names to values")
    check_each("var_files", var_files, (str, Path), "a list of paths")
    _check_text("vpc", vpc)
    given = tuple(f"{name}={value}" for name, value in (variables or {}).items())
    inputs = Inputs(given, tuple(_path(f, "a file of values") for f in var_files), vpc)
    return imported(read([_path(p, what) for p in paths], inputs), into)


def read_eksctl(*paths: Path | str, into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from eksctl ClusterConfigs, with the defaults of eksctl.

    Parameters
    ----------
    *paths : path
        YAML or JSON files; ``-`` is standard input.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read or has other content: the message names the source that reads it.
    """
    return _of_files("eksctl", paths, into)


def read_cloudformation(*paths: Path | str, into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from CloudFormation templates; functions are resolved if the template alone allows.

    Parameters
    ----------
    *paths : path
        YAML or JSON templates; ``-`` is standard input.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read or has other content: the message names the source that reads it.
    """
    return _of_files("cloudformation", paths, into)


def read_karpenter(*paths: Path | str, into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from Karpenter NodePools and EC2NodeClasses, or the older Provisioner and AWSNodeTemplate.

    Parameters
    ----------
    *paths : path
        YAML or JSON files; pools and their classes may be in different files; ``-`` is standard input.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read or has other content: the message names the source that reads it.
    """
    return _of_files("karpenter", paths, into)


def read_helm(*paths: Path | str, into: Path | str | Imported | None = None) -> Imported:
    """Import the CNI settings from Helm values of the aws-vpc-cni chart; the rest is assumed or from ``into``.

    Parameters
    ----------
    *paths : path
        Values files, later ones override earlier ones as in ``helm -f``; ``-`` is standard input.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        A file cannot be read or has other content: the message names the source that reads it.
    """
    return _of_files("helm", paths, into)


def read_aws(folder: Path | str, cluster: str = "", into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from saved output of the AWS CLI; every address of every subnet is accounted for.

    Parameters
    ----------
    folder : path
        JSON files of any names (``aws … --output json``), or one file.
    cluster : str
        The EKS cluster; not needed if the output has only one.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        Nothing can be read, there is no such cluster, or the output is not plausible.
    """
    from capacity.readers.aws.aws_cluster import parse_cluster, with_unread
    from capacity.readers.aws.compared import with_comparison
    from capacity.readers.aws.draft import aws_draft
    from capacity.readers.aws.folder import read_folder

    _check_into(into)
    path = Path(_path(folder, "a folder of saved AWS CLI output"))
    check_kind("cluster", cluster, str, "the name of the EKS cluster")
    found = parse_cluster(with_unread(read_folder(path), cluster), cluster)
    return imported(with_comparison(aws_draft(found, f"AWS output in {path.name or path}"), found), into)


def fetch_aws(
    cluster: str = "",
    region: str | None = None,
    profile: str | None = None,
    into: Path | str | Imported | None = None,
) -> Imported:
    """Import a plan from a live EKS cluster and its VPC, with read-only calls and your credentials.

    Parameters
    ----------
    cluster : str
        The EKS cluster; not needed if the region has only one.
    region, profile : str, optional
        As for the AWS CLI; by default from the environment.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        No credentials, no such cluster, or a response that is not plausible.
    MissingExtra
        boto3 is not installed.
    """
    from capacity.readers.aws.aws_cluster import parse_cluster
    from capacity.readers.aws.client import Caller, open_session
    from capacity.readers.aws.compared import with_comparison
    from capacity.readers.aws.draft import aws_draft
    from capacity.readers.aws.fetch import fetch_answers

    check_kind("cluster", cluster, str, "the name of the EKS cluster")
    _check_into(into)
    _check_text("region", region)
    _check_text("profile", profile)
    found = parse_cluster(fetch_answers(Caller(open_session(profile, region)), cluster), cluster)
    return imported(with_comparison(aws_draft(found, "AWS"), found), into)


def fetch_kubectl(context: str | None = None, into: Path | str | Imported | None = None) -> Imported:
    """Import a plan from the cluster of the current kubectl context with ``kubectl get`` (read-only).

    Parameters
    ----------
    context : str, optional
        kubectl context; by default the current one.
    into : path or Imported, optional
        A plan to merge into: its values are kept, its gaps are filled.

    Raises
    ------
    SpecError
        kubectl is not installed, or refuses.
    """
    from capacity.readers.kubernetes.kubectl import read_live

    _check_into(into)
    _check_text("context", context)
    return imported(read_live(context), into)
