"""Changes a plan by paths: ``cni.env.WARM_IP_TARGET=2``, ``nodeGroups.general.nodes.max=30``.

A patch is a mapping of path to value. Paths have the form of paths in error messages. An entry of a list is addressed
by its position (``nodeGroups[0]``) or its name (``nodeGroups.general``; with dots in the name ``tenants[ecr.api]``;
with other characters in double quotes, ``nodeGroups["a]=b"]``, with JSON's escapes), and ``[+]`` appends
(``vpc.cidrs[+]``; a list appends each of its entries). The value None deletes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from capacity.errors import SpecError, check_kind, check_path
from capacity.files import write_file
from capacity.plan.changes import Changeable, ChangedCopy, change, decoded, native
from capacity.plan.document import PlanFile, parse_json, parse_yaml, read_plan_file
from capacity.plan.patch_path import APPEND, SETTING, entry, steps_of
from capacity.plan.sections import PlanSection

__all__ = [
    "apply_patch",
    "entry",
    "parse_settings",
    "patched_text",
    "write_patched",
]


def parse_settings(settings: Iterable[str]) -> dict[str, object]:
    """The patch given by ``--set PATH=VALUE`` options; values are YAML.

    Raises
    ------
    SpecError
        An option without ``=`` or value, with a value that is not YAML, or with a duplicate path.

    Examples
    --------
    >>> parse_settings(["cni.env.WARM_IP_TARGET=2", "nodeGroups.general.nodes={min: 3, max: 9}"])
    {'cni.env.WARM_IP_TARGET': '2', 'nodeGroups.general.nodes': {'min': '3', 'max': '9'}}
    """
    patch: dict[str, object] = {}
    for setting in settings:
        found = SETTING.match(setting)
        path, text = (found[1].strip(), setting[found.end() :]) if found else ("", "")
        if not path:
            raise SpecError(f"--set {setting!r}: expected PATH=VALUE, such as cni.env.WARM_IP_TARGET=2")
        if not text.strip():
            raise SpecError(f"--set {setting!r}: no value after '=' (null deletes the key, '' is the empty text)")
        steps_of(path)
        value = parse_yaml(text, f"--set {path}")
        if path.endswith(f"[{APPEND}]") and path in patch:
            earlier = patch[path]
            value = [*(earlier if isinstance(earlier, list) else [earlier]), value]
        elif path in patch:
            raise SpecError(f"--set {path}: duplicate path")
        patch[path] = value
    return patch


def apply_patch(document: PlanSection, patch: Mapping[str, object]) -> PlanSection:
    """A copy of a plan's document with the changes applied in order; lines are kept for messages.

    Raises
    ------
    SpecError
        A path that does not exist, with the nearest name.

    Examples
    --------
    >>> document = parse_yaml("vpc: {cidrs: [10.0.0.0/16]}", "plan.yaml")
    >>> apply_patch(document, {"vpc.cidrs[+]": "100.64.0.0/16"})
    {'vpc': {'cidrs': ['10.0.0.0/16', '100.64.0.0/16']}}
    """
    draft = ChangedCopy(document)
    for path, value in patch.items():
        change(draft, path, value, decoded)
    found: PlanSection = draft.root
    return found


def check_patch(value: object) -> None:
    """Refuse what is not a mapping of paths to values."""
    check_kind("patch", value, Mapping, "a mapping of paths to values, such as {'cni.env.WARM_IP_TARGET': '2'}")


def write_patched(source: Path | str | PlanFile, patch: Mapping[str, object], path_out: Path | str) -> None:
    """Write the plan with the changes applied; comments and order stay, JSON stays JSON.

    In another folder, the relative paths of its tenants' plans are adapted.

    Parameters
    ----------
    source : path or PlanFile
        The plan's file; a file that is already read is not read again.

    Raises
    ------
    SpecError
        The plan cannot be read, a path does not exist, or the file cannot be written.
    """
    check_patch(patch)
    check_path("path_out", path_out)
    plan, target = _read(source), Path(path_out)
    patch = {**patch, **_plans_from(Path(plan.name).parent, target.parent, apply_patch(plan.document, patch))}
    write_file(target, patched_text(plan, patch))


def _read(source: Path | str | PlanFile) -> PlanFile:
    return source if isinstance(source, PlanFile) else read_plan_file(source)


def _plans_from(old: Path, new: Path, document: PlanSection) -> dict[str, object]:
    """A patch that adapts the tenants' relative ``plan`` paths to another folder."""
    tenants = document.get("tenants")
    if old.resolve() == new.resolve() or not isinstance(tenants, list):
        return {}
    named = {
        i: str(t["plan"]) for i, t in enumerate(tenants) if isinstance(t, PlanSection) and t.get("plan") is not None
    }
    return {
        f"tenants[{i}].plan": Path(os.path.relpath((old / name).resolve(), new.resolve())).as_posix()
        for i, name in named.items()
        if not Path(name).is_absolute()
    }


def patched_text(source: Path | str | PlanFile, patch: Mapping[str, object]) -> str:
    """The text of a plan with the changes applied.

    Raises
    ------
    SpecError
        As :func:`apply_patch`; or the file contains YAML that cannot be rewritten faithfully, such as a
        value that an alias shares with another place.
    """
    plan = _read(source)
    wanted = apply_patch(plan.document, patch)
    new = _json_text(plan.text, patch) if plan.is_json else _yaml_text(plan.text, patch)
    if (parse_json(new, plan.name) if plan.is_json else parse_yaml(new, plan.name)) != wanted:
        raise SpecError(
            f"{plan.name}: cannot be rewritten faithfully (does an alias share a value set here?): edit by hand"
        )
    return new


def _json_text(text: str, patch: Mapping[str, object]) -> str:
    import json

    document = Changeable(json.loads(text, parse_float=str))  # 1.30 is not 1.3
    for path, value in patch.items():
        change(document, path, value, native)
    return json.dumps(document.root, indent=2, ensure_ascii=False) + "\n"


def _yaml_text(text: str, patch: Mapping[str, object]) -> str:
    """The changed text, or empty if it cannot be generated."""
    from ruamel.yaml.error import YAMLError

    from capacity.plan.yaml_writer import edited, editor_for

    yaml = editor_for(text)
    try:
        document = Changeable(yaml.load(text))
        for path, value in patch.items():
            change(document, path, value, _flow)
        return edited(yaml, document.root)
    except (YAMLError, KeyError):  # KeyError: a key that comes only from a merge (<<) cannot be deleted
        return ""


def _flow(value: object, line: int | None, path: str) -> Any:
    """A value like :func:`native`, with mappings and lists on one line and the CNI's variables in double quotes."""
    from capacity.plan.yaml_writer import one_line

    return one_line(native(value, line, path), quoted=lambda inside: f"{path}{inside}".startswith("cni.env."))
