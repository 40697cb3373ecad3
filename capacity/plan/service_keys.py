"""Keys of the plan's Services and of kube-proxy."""

from __future__ import annotations

from capacity.plan.declaration import COUNT, FLAG, NAME, WORD, Key, Keys, name_key
from capacity.plan.service import AFFINITIES, PROTOCOLS, PROXY_MODES, SERVICE_TYPES, TRAFFIC_POLICIES

MOST_PORTS = 1000  # of one Service: far above any
KUBE_PROXY = Keys(
    "kubernetes.kubeProxy",
    "how kube-proxy runs",
    Key("mode", WORD, "its mode", absent="unknown; `services` shows all", words=PROXY_MODES, example="iptables"),
    Key("localhostNodePorts", FLAG, "`iptables.localhostNodePorts`", default=True, absent="true", example=False),
    Key("masqueradeAll", FLAG, "`masqueradeAll`", default=False, absent="false", example=True),
    Key("nodePortAddresses", COUNT, "node addresses that `nodePortAddresses` selects", absent="the default of the mode",
        unit="addresses", low=1, high=64, example=1),
    Key("podRange", FLAG, "whether kube-proxy can tell pods from other sources (`clusterCIDR`, `detectLocalMode`)",
        default=True, absent="true", example=False),
    Key("countLocalhost", FLAG, "whether node-port packets to localhost are counted (1.33 and newer)",
        default=True, absent="true", example=False),
    Key("conntrackLiberal", FLAG, "whether `nf_conntrack_tcp_be_liberal` is 1", default=False, absent="false",
        example=True),
    Key("nodeIPs", COUNT, "addresses of a node that serve node ports in IPVS mode", default=1, unit="addresses",
        high=64, example=2),
)  # fmt: skip
SERVICE = Keys(
    "services[]",
    "Services, for `capacity services`; they use no address of the VPC",
    name_key("unique; an import writes `namespace/name`"),
    Key("namespace", NAME, "the namespace", default="default", example="shop"),
    Key("count", COUNT, "number of identical Services", default=1, low=1, unit="Services", example=300),
    Key("type", WORD, "type", default="ClusterIP", words=SERVICE_TYPES, example="NodePort"),
    Key("headless", FLAG, "`clusterIP: None`: no address and no rules", default=False, example=True),
    Key("ports", COUNT, "ports", default=1, low=1, high=MOST_PORTS, unit="ports", example=2),
    Key("protocol", WORD, "protocol of the ports", default="TCP", words=PROTOCOLS, example="TCP"),
    Key("workload", NAME, "name of the workload whose pods are the endpoints", absent="none", example="web"),
    Key("endpoints", COUNT, "ready endpoints", absent="the replicas of `workload`, otherwise 0", unit="endpoints",
        example=20),
    Key("zoneHints", FLAG, "whether topology hints keep traffic in its zone (`trafficDistribution`): a node then has "
        "rules for the endpoints of its zone", default=False, absent="false", example=True),
    Key("localEndpoints", COUNT, "endpoints on the node for which rules are counted", default=0, unit="endpoints",
        example=1),
    Key("nodePorts", FLAG, "whether each port has a node port (`allocateLoadBalancerNodePorts`)",
        absent="true for types `NodePort` and `LoadBalancer`", example=False),
    Key("externalIPs", COUNT, "entries of `externalIPs`", default=0, high=1000, unit="addresses", example=1),
    Key("loadBalancerIPs", COUNT, "IPs in `status.loadBalancer`; an ALB or NLB has a hostname instead", default=0,
        high=1000, unit="addresses", example=1),
    Key("sourceRanges", COUNT, "entries of `loadBalancerSourceRanges`", default=0, high=1000, unit="ranges", example=2),
    Key("nodeInRange", FLAG, "whether a source range contains the node's address", default=False, example=True),
    Key("externalTrafficPolicy", WORD, "policy of external traffic", default="Cluster", words=TRAFFIC_POLICIES,
        example="Local"),
    Key("internalTrafficPolicy", WORD, "policy of traffic to the cluster IP", default="Cluster",
        words=TRAFFIC_POLICIES, example="Local"),
    Key("sessionAffinity", WORD, "session affinity", default="None", words=AFFINITIES, example="ClientIP"),
    Key("healthCheckNodePort", FLAG, "whether it has a health check node port",
        absent="true for type `LoadBalancer` with `externalTrafficPolicy: Local`", example=True),
)  # fmt: skip
