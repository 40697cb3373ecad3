"""Name the commands of provisioners that can change the cluster: what they set is not in the plan."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from capacity.readers.terraform.source_blocks import blocks_of
from capacity.readers.values import mapping

if TYPE_CHECKING:
    from capacity.readers.terraform.resource import Resource, Stack

COMMAND = "local-exec command"
_CHANGES = re.compile(
    r"\bkubectl\s(?:[^\n;&|]*\s)?(?:apply|create|replace|patch|set|scale|delete|label|annotate|edit)\s"
    r"|\bhelm\s(?:[^\n;&|]*\s)?(?:install|upgrade|uninstall|delete)\s"
    r"|\b(?:helmfile|kustomize)\s"
    r"|\beksctl\s+(?:create|delete|scale|update|upgrade|set)\s"
    r"|\baws\s(?:[^\n;&|]*\s)?(?:eks|ec2|autoscaling)\s+(?:create|delete|update|modify|associate|set|assign)-(?!kubeconfig)"
)
_SETS_CNI = re.compile(r"\bset\s+env\b[^\n;&|]*\baws-node\b([^\n;&|]*)")
_SETTING = re.compile(r"(?<!\S)[\"']?([A-Z][A-Z0-9_]+=[^\s\"']*)")


def say_commands(stack: Stack) -> None:
    """Note each resource whose commands can change the cluster, and the settings of the CNI in them."""
    for resource in stack.resources:
        texts = [text.replace("\\\n", " ") for text in _commands(stack, resource)] if resource.managed else []
        settings = [s for text in texts for line in _SETS_CNI.findall(text) for s in _SETTING.findall(line)]
        if settings:
            shown = ", ".join(dict.fromkeys(settings))
            stack.said.leave_out(resource.address, f"not in the plan: its command sets {shown} of aws-node", "cni.env")
        elif any(_CHANGES.search(text) for text in texts):
            stack.said.meet(COMMAND, resource.address)


def _commands(stack: Stack, resource: Resource) -> Iterator[str]:
    """Commands of ``local-exec`` provisioners; of one that is known in part, the known parts."""
    for block in blocks_of(resource.value("provisioner")):
        for local in blocks_of(mapping(block).get("local-exec")):
            command = mapping(local).get("command")
            if isinstance(command, str):
                yield command
    yield from stack.references.commands(resource)
    yield from (text for path, text in resource.partial.items() if path.endswith("local-exec.command"))
