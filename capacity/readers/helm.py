"""Read Helm values of the aws-vpc-cni chart: the CNI's environment, version and ENIConfigs.

Chart: aws/amazon-vpc-cni-k8s@b5218838 charts/aws-vpc-cni/values.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from capacity.errors import SpecError
from capacity.readers.cni_addon import chart_values, cni_version_of
from capacity.readers.detect import detect
from capacity.readers.draft import PlanDraft, SourceNotes
from capacity.readers.values import path_of, say_placeholders


def parse_helm(values: dict[str, Any], file: str = "") -> PlanDraft:
    """Convert decoded values to a draft."""
    said = SourceNotes(file)
    say_placeholders(values, said.say)
    values = _of_chart(values)
    found = chart_values(values, said)
    return PlanDraft(
        source=f"helm {file}".strip(),
        region=found.region,
        cni_version=cni_version_of(path_of(values, "image", "tag")),
        env=found.env,
        windows=found.windows,
        subnets=found.pod_subnets,
        pod_subnets=tuple(s.name for s in found.pod_subnets),
        notes=said.collected(),
    )


def _of_chart(values: dict[str, Any]) -> dict[str, Any]:
    """Values of the chart; an umbrella chart has them under the name of the dependency."""
    for key in ("aws-vpc-cni", "vpc-cni", "amazon-vpc-cni"):
        inner = values.get(key)
        if isinstance(inner, dict):
            return inner
    return values


def read(paths: Sequence[str]) -> PlanDraft:
    """Read values files as one draft; later files override earlier ones, as in ``helm -f``."""
    from capacity.readers.decode import read_documents
    from capacity.readers.sources import refuse_all

    values: dict[str, Any] = {}
    names = []
    for path in paths:
        loaded = read_documents(path)
        if not loaded or not all(isinstance(d.value, dict) for d in loaded):
            raise refuse_all("helm", loaded, path)
        for document in loaded:
            source, words = detect(_of_chart(document.value))
            if source != "helm" or "another chart" in words:
                raise _wrong(source, words, document.value, document.file)
            values = overlaid(values, document.value)
            names.append(document.file)
    return parse_helm(values, ", ".join(dict.fromkeys(names)))


def _wrong(source: str | None, words: str, value: object, file: str) -> SpecError:
    from capacity.readers.detect import refuse

    if source == "helm":
        return SpecError(f"{file}: this is {words}, not of aws-vpc-cni (expected env with variables of the CNI)")
    return refuse("helm", value, file)


def overlaid(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Values with others over them, as Helm merges values files."""
    merged = dict(base)
    for key, value in over.items():
        before = merged.get(key)
        merged[key] = overlaid(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
