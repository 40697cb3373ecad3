"""Helm values: those of aws-vpc-cni, and of no other chart."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.errors import SpecError
from capacity.readers.helm import overlaid, read

METRICS = """
nameOverride: cni-metrics-helper
image: {tag: v1.20.0}
env:
  USE_CLOUDWATCH: "true"
  AWS_VPC_K8S_CNI_LOGLEVEL: INFO
"""


@pytest.mark.parametrize("text", [METRICS, METRICS.replace("nameOverride: cni-metrics-helper\n", "")])
def test_values_of_the_metrics_helper_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(text)
    with pytest.raises(SpecError, match=r"another chart \(cni-metrics-helper\), not of aws-vpc-cni"):
        read([str(path)])


def test_values_of_the_cni_with_the_same_variable_are_read(tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text("nameOverride: aws-node\nimage: {tag: v1.20.0}\nenv: {AWS_VPC_K8S_CNI_LOGLEVEL: INFO}\n")
    draft = read([str(path)])
    assert (draft.cni_version, draft.env) == ("1.20.0", {"AWS_VPC_K8S_CNI_LOGLEVEL": "INFO"})


def test_later_values_override_as_helm_merges_them() -> None:
    assert overlaid({"env": {"A": "1", "B": "2"}, "x": 1}, {"env": {"B": "3"}}) == {"env": {"A": "1", "B": "3"}, "x": 1}
