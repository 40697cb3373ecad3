"""SecurityGroupPolicies: the workloads whose pods take a branch interface each.

Source: aws/amazon-vpc-resource-controller-k8s@master apis/vpcresources/v1beta1/securitygrouppolicy_types.go and
pkg/utils/helper.go (a pod that the pod selector and the selector of service accounts both select; read 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capacity.readers.draft import SourceNotes
from capacity.readers.kubernetes.scheduling import PodFacts
from capacity.readers.kubernetes.spreading import selects

KIND = "SecurityGroupPolicy"
Policies = Mapping[tuple[str, str], Mapping[str, Any]]  # spec by namespace and name


def has_branch_interface(facts: PodFacts, namespace: str, policies: Policies, said: SourceNotes) -> bool:
    """Whether a policy of the namespace selects the pods of a workload by their labels alone.

    A policy that selects service accounts stays unread, because their labels are not known.
    """
    labels = dict(facts.labels)
    found = False
    for (where, name), spec in policies.items():
        if where == namespace and not spec.get("serviceAccountSelector") and selects(spec.get("podSelector"), labels):
            said.use(KIND, f"{where}/{name}")
            found = True
    return found
