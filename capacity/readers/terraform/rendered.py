"""Evaluate data sources that only render text, such as user data: ``template_file`` and ``cloudinit_config``.

Documents: hashicorp/terraform-provider-template docs/data-sources/file.md, hashicorp/terraform-provider-cloudinit
docs/data-sources/config.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from capacity.readers.terraform.expression import Budget, Scope, evaluate_template
from capacity.readers.terraform.source_blocks import blocks_of
from capacity.readers.terraform.value import UNKNOWN, PartText, shown
from capacity.readers.values import mapping


def _template_file(body: Mapping[str, Any], budget: Budget) -> Any:
    """The template with its own variables."""
    text = shown(body.get("template"))
    return evaluate_template(text, _no_names, mapping(body.get("vars")), budget) if isinstance(text, str) else UNKNOWN


def _no_names(_name: str, _scope: Scope) -> Any:
    return UNKNOWN


def _cloudinit_config(body: Mapping[str, Any], _budget: Budget) -> Any:
    """The text of the parts; its encoding and boundaries are not reproduced."""
    contents = [shown(mapping(part).get("content")) for part in blocks_of(body.get("part"))]
    texts = [c if isinstance(c, str) else "${…}" for c in contents]
    return PartText("\n".join(texts)) if texts else UNKNOWN


RENDERED: dict[str, Callable[[Mapping[str, Any], Budget], Any]] = {
    "template_file": _template_file,
    "cloudinit_config": _cloudinit_config,
    "template_cloudinit_config": _cloudinit_config,
}
