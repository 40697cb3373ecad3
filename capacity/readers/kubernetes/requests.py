"""What the pods of a workload request beyond its template, and what they need besides CPU and memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from capacity.readers.draft import SourceNotes
from capacity.readers.kubernetes.scheduling import PodFacts
from capacity.readers.kubernetes.storage import ebs_volumes
from capacity.readers.plan_document import cpu_text, memory_text
from capacity.units import counted


def admitted(template: PodFacts, pod: PodFacts, said: SourceNotes, path: str) -> PodFacts:
    """Facts of a template, with the requests of one of its pods where they are larger; ``path`` is the entry's.

    A LimitRange, a VerticalPodAutoscaler or an injected sidecar changes requests when a pod is admitted.
    """
    cpu = _larger(template.cpu_millicores, pod.cpu_millicores)
    memory = _larger(template.memory_bytes, pod.memory_bytes)
    if (cpu, memory) == (template.cpu_millicores, template.memory_bytes):
        return template
    stated = _shown(template.cpu_millicores, template.memory_bytes)
    said.say(path, f"its pods request {_shown(cpu, memory)}, its template {stated}", f"{path}.requests")
    return replace(template, cpu_millicores=cpu, memory_bytes=memory)


def _larger(ours: int | None, theirs: int | None) -> int | None:
    return theirs if ours is None else ours if theirs is None else max(ours, theirs)


def _shown(cpu: int | None, memory: int | None) -> str:
    parts = [f"cpu {cpu_text(cpu)}"] if cpu is not None else []
    parts += [f"memory {memory_text(memory)}"] if memory is not None else []
    return " and ".join(parts) or "nothing"


def say_devices(facts: PodFacts, said: SourceNotes, name: str) -> None:
    """Record requested devices that are not in a plan."""
    for device in facts.devices:
        said.meet("device request", f"{name}: {device}")


def say_surge(surge: int | str, said: SourceNotes, path: str) -> None:
    """Note the pods that a DaemonSet adds during its update: each takes an address."""
    nodes = counted(surge, "node") if isinstance(surge, int) else f"{surge} of its nodes"
    text = f"maxSurge: during its update, each of {nodes} at a time has one more of its pods, with an address"
    said.say(path, f"{text}: not in the plan", path)


def volumes_of(facts: PodFacts, classes: Mapping[str, str], said: SourceNotes, path: str) -> int | None:
    """EBS volumes that each pod attaches; None, with a note, if a storage class is not in the input."""
    found, unknown = ebs_volumes(facts.claims, classes)
    if unknown:
        each = counted(len(facts.claims), "volume")
        text = f"each pod claims {each} ({', '.join(unknown)} not in this file): set volumes if they are EBS volumes"
        said.say(path, text, f"{path}.volumes")
        return None
    return found or None
