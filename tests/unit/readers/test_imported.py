"""The readers as a Python program calls them: the plan, its notes, what differs, and paths that are none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from capacity import SpecError, readers
from capacity.advice.judge import check
from capacity.plan.parse import read_plan
from capacity.readers import (
    Imported,
    read_aws,
    read_cloudformation,
    read_eksctl,
    read_helm,
    read_karpenter,
    read_kubectl,
    read_terraform,
)
from tests.cli.entry import capacity

EXAMPLES = Path(__file__).parents[3] / "examples"
IMPORT = EXAMPLES / "import"
EACH = {
    "kubectl": (read_kubectl, "objects.yaml"),
    "terraform": (read_terraform, "tfplan.json"),
    "eksctl": (read_eksctl, "cluster.yaml"),
    "cloudformation": (read_cloudformation, "template.yaml"),
    "karpenter": (read_karpenter, "nodepool.yaml"),
    "helm": (read_helm, "values.yaml"),
}


class TestAnswers:
    @pytest.mark.parametrize("source", EACH)
    def test_text_and_notes_are_the_commands(self, source: str) -> None:
        read, name = EACH[source]
        made = read(IMPORT / name)
        done = capacity("import", source, str(IMPORT / name))
        assert made.text == done.stdout
        assert [f"note: {n.text}" for n in made.notes] == done.stderr.splitlines()
        annotations = made.document["metadata"].get("annotations", {})
        assert list(made.assumed) == annotations.get("capacity/assumed", [])

    def test_saved_aws_answers(self) -> None:
        made = read_aws(EXAMPLES / "aws-answers", "shop-prod")
        assert made.text == capacity("import", "aws", "--from", str(EXAMPLES / "aws-answers")).stdout
        assert made.plan.name == "shop-prod"
        with pytest.raises(SpecError, match=r"no cluster 'shop-prd' in the input \(found 'shop-prod'\)"):
            read_aws(EXAMPLES / "aws-answers", "shop-prd")

    def test_the_plan_is_ready_for_check(self) -> None:
        made = read_eksctl(IMPORT / "cluster.yaml")
        assert [g.name for g in made.plan.node_groups] == ["general", "batch"]
        assert made.document["nodeGroups"][0]["nodes"] == {"min": 3, "desired": 4, "max": 9}
        assert check(made.plan).scenarios

    def test_several_files_are_one_plan(self) -> None:
        both = read_kubectl(IMPORT / "objects.yaml", IMPORT / "objects.yaml")
        assert both.plan.workloads == read_kubectl(IMPORT / "objects.yaml").plan.workloads

    def test_it_is_written_as_it_reads(self, tmp_path: Path) -> None:
        made = read_eksctl(str(IMPORT / "cluster.yaml"))
        made.write(tmp_path / "plan.yaml")
        assert (tmp_path / "plan.yaml").read_text(encoding="utf-8") == made.text
        assert read_plan(tmp_path / "plan.yaml").node_groups[0].name == "general"

    def test_the_repr_says_what_was_found(self) -> None:
        made = read_eksctl(IMPORT / "cluster.yaml")
        found = f"6 subnets, 2 node groups, 0 workloads, {len(made.notes)} notes, {len(made.assumed)} assumed"
        assert repr(made) == f"Imported('eksctl cluster.yaml': {found})"


class TestInto:
    def test_a_source_fills_what_another_leaves_open(self, tmp_path: Path) -> None:
        first = read_eksctl(IMPORT / "cluster.yaml")
        merged = read_karpenter(IMPORT / "nodepool.yaml", into=first)
        assert {g.name for g in first.plan.node_groups} < {g.name for g in merged.plan.node_groups}
        first.write(tmp_path / "plan.yaml")
        from_file = read_karpenter(IMPORT / "nodepool.yaml", into=tmp_path / "plan.yaml")
        assert from_file.document == merged.document

    def test_differences_with_a_plan(self) -> None:
        made = read_eksctl(IMPORT / "cluster.yaml")
        assert made.differences(made) == ()
        found = made.differences(EXAMPLES / "first-plan.yaml")
        assert ("nodeGroups[batch]", "only in reality") in {(d.path, d.change) for d in found}


class TestRefusals:
    @pytest.mark.parametrize("path", ["", None, 3, ["a.yaml"], b"a.yaml"])
    def test_what_is_no_path(self, path: object) -> None:
        with pytest.raises(SpecError, match=r"is not a path \(expected a file of eksctl: An eksctl ClusterConfig"):
            read_eksctl(path)  # type: ignore[arg-type]
        with pytest.raises(SpecError, match=r"is not a path \(expected a folder of saved AWS CLI output"):
            read_aws(path)  # type: ignore[arg-type]
        if path is not None:
            with pytest.raises(SpecError, match=r"\(expected (a plan|the path of a plan)"):
                read_helm(IMPORT / "values.yaml", into=path)  # type: ignore[arg-type]

    def test_no_path_at_all(self) -> None:
        with pytest.raises(SpecError, match=r"no path is given \(expected a file of kubectl"):
            read_kubectl()

    def test_a_missing_file_and_one_of_another_kind(self, tmp_path: Path) -> None:
        with pytest.raises(SpecError, match="no such file"):
            read_karpenter(tmp_path / "none.yaml")
        with pytest.raises(SpecError, match=r"this is an eksctl ClusterConfig.*capacity import eksctl"):
            read_karpenter(IMPORT / "cluster.yaml")

    def test_a_source_without_a_plan_in_it(self, tmp_path: Path) -> None:
        (tmp_path / "state.json").write_text('{"resources": {"aws_s3_bucket": {}}}', encoding="utf-8")
        with pytest.raises(SpecError, match="the input has no part of a plan"):
            read_terraform(tmp_path / "state.json")


class TestFace:
    def test_all_names_are_documented_and_load_late(self) -> None:
        assert readers.__all__ == sorted(readers.__all__)
        for name in readers.__all__:
            assert getattr(readers, name).__doc__
        assert set(readers.__all__) <= set(dir(readers))
        with pytest.raises(AttributeError, match="no attribute 'read_eks'"):
            readers.read_eks  # noqa: B018

    def test_what_type_checkers_see_is_what_is_loaded(self) -> None:
        tree = ast.parse(Path(str(readers.__file__)).read_text(encoding="utf-8"))
        guarded = next(n for n in tree.body if isinstance(n, ast.If))
        seen = {
            alias.name: str(node.module)
            for node in guarded.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        assert sorted(seen) == readers.__all__
        for name, module in seen.items():
            assert getattr(readers, name).__module__ == module

    def test_the_type(self) -> None:
        assert isinstance(read_eksctl(IMPORT / "cluster.yaml"), Imported)
