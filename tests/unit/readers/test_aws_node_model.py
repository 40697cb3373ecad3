"""The model against the nodes of saved AWS answers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from capacity.advice.node_figures import NodeFigures
from capacity.readers.aws.doctor import saved_evidence
from capacity.readers.imported import read_aws

EXAMPLES = Path(__file__).parents[3] / "examples"
ANSWERS, KUBERNETES = EXAMPLES / "aws-answers", EXAMPLES / "nodes-and-pods.json"


def figures(answers: Path = ANSWERS, kubectl: Path | None = None) -> dict[str, NodeFigures]:
    return {n.node: n for n in saved_evidence(answers, kubectl=kubectl).model}


def changed(folder: Path, name: str, change: Any) -> Path:
    """A copy of the answers with one file changed."""
    copy = Path(shutil.copytree(ANSWERS, folder / "answers"))
    document = json.loads((copy / name).read_text())
    change(document)
    (copy / name).write_text(json.dumps(document))
    return copy


def test_with_pods_each_node_has_its_own_figure() -> None:
    found = figures(kubectl=KUBERNETES)
    assert {n: (f.pods, f.held, f.expected, f.lowest, f.highest) for n, f in found.items()} == {
        "ip-10-20-0-11": (24, 30, 30, 30, 30),
        "ip-10-20-1-12": (7, 20, 20, 20, 30),
        "ip-10-20-0-13": (5, 20, 20, 20, 30),
        "ip-10-20-1-14": (3, 10, 20, 20, 30),
    }
    assert [n for n, f in found.items() if f.off] == ["ip-10-20-1-14"]


def test_without_pods_every_number_up_to_max_pods_is_possible() -> None:
    found = figures()
    assert {(f.pods, f.expected, f.lowest, f.highest) for f in found.values()} == {(None, None, 10, 30)}
    assert not any(f.off for f in found.values())


def test_pods_with_a_branch_eni_use_no_address_of_the_node(tmp_path: Path) -> None:
    document = json.loads(KUBERNETES.read_text())
    mine = [p for p in document["items"] if p["kind"] == "Pod" and p["spec"]["nodeName"] == "ip-10-20-1-14"]
    for pod in mine:
        pod["spec"]["containers"][0]["resources"] = {"limits": {"vpc.amazonaws.com/pod-eni": "1"}}
    file = tmp_path / "kube.json"
    file.write_text(json.dumps(document))
    assert figures(kubectl=file)["ip-10-20-1-14"].pods == 0


def test_other_settings_of_the_add_on_change_the_model(tmp_path: Path) -> None:
    def few(document: dict[str, Any]) -> None:
        document["addon"]["configurationValues"] = json.dumps(
            {"env": {"WARM_IP_TARGET": "2", "MINIMUM_IP_TARGET": "2"}}
        )

    found = figures(changed(tmp_path, "describe-addon-vpc-cni.json", few), KUBERNETES)
    assert found["ip-10-20-1-12"].expected == 10  # 7 pods and 2 warm on one ENI
    assert found["ip-10-20-1-12"].off


def test_auto_mode_and_ipv6_have_no_figures(tmp_path: Path) -> None:
    def auto(document: dict[str, Any]) -> None:
        document["cluster"]["computeConfig"] = {"enabled": True}

    def six(document: dict[str, Any]) -> None:
        document["cluster"]["kubernetesNetworkConfig"]["ipFamily"] = "ipv6"

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert figures(changed(tmp_path / "a", "describe-cluster.json", auto)) == {}
    assert figures(changed(tmp_path / "b", "describe-cluster.json", six)) == {}


def test_the_import_says_what_the_model_predicts() -> None:
    notes = [n.text for n in read_aws(ANSWERS).notes if n.text.startswith("general: model")]
    assert notes == [
        "general: model 10 to 30 addresses per node for any number of pods, yours 10 to 30; 4 nodes in the range"
    ]


@pytest.mark.parametrize("platform", ["windows"])
def test_windows_nodes_are_left_out(tmp_path: Path, platform: str) -> None:
    def windows(document: dict[str, Any]) -> None:
        document["Reservations"][0]["Instances"][0]["Platform"] = platform

    assert len(figures(changed(tmp_path, "describe-instances.json", windows))) == 3
