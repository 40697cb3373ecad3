"""Account for the input of a reader: parts that it met, did not use, and that could matter to a plan.

A reader calls :meth:`~capacity.readers.draft.SourceNotes.meet` for each part of its input and
:meth:`~capacity.readers.draft.SourceNotes.use` for each part that is in the plan. One note per kind names the others,
if :data:`MATTERS` has the kind. A kind that takes no address, makes no node and runs no pod is not in the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache

from capacity.units import some_of

MOST_PLACES = 4  # named in one note; the others are counted


@dataclass(frozen=True)
class Matter:
    """Why a part of the input could matter to a plan, and the kinds with that reason, in the words of each source.

    ``kinds`` may have ``*``. ``why`` completes "… is not in the plan: ".
    """

    why: str
    kinds: tuple[str, ...]


_INSTANCE = "an instance takes an address for each interface and secondary address (tenants of kind ec2)"
_INTERFACE = "an interface takes all its addresses (tenants of kind other)"
_TASKS = "a task with network mode awsvpc takes an address (tenants of kind other)"
_DATABASE = "a database instance takes an address (tenants of kind rds)"
_HOLDER = "its network interfaces take addresses of their subnets (tenants of kind other)"
_BALANCER = "a load balancer takes addresses of its subnets (tenants of kind alb, nlb or clb)"
_NODES = "it can make nodes"
_PODS = "it can run pods"

MATTERS: tuple[Matter, ...] = (
    # address holders
    Matter(_INSTANCE, ("aws_instance", "aws_spot_instance_request", "aws_ec2_fleet", "aws_spot_fleet_request")),
    Matter(_INSTANCE, ("AWS::EC2::Instance", "AWS::EC2::EC2Fleet", "AWS::EC2::SpotFleet")),
    Matter(_INTERFACE, ("aws_network_interface", "AWS::EC2::NetworkInterface")),
    Matter(
        "functions in a VPC take an address for each subnet and set of security groups (tenants of kind lambda)",
        ("aws_lambda_function", "AWS::Lambda::Function", "AWS::Serverless::Function"),
    ),
    Matter(_TASKS, ("aws_ecs_service", "aws_ecs_task_set", "AWS::ECS::Service", "AWS::ECS::TaskSet")),
    Matter(_DATABASE, ("aws_db_instance", "aws_rds_cluster", "aws_rds_cluster_instance", "aws_db_proxy")),
    Matter(_DATABASE, ("AWS::RDS::DBInstance", "AWS::RDS::DBCluster", "AWS::RDS::DBProxy")),
    Matter(_DATABASE, ("aws_docdb_cluster_instance", "aws_neptune_cluster_instance", "aws_redshift_cluster")),
    Matter(_DATABASE, ("AWS::DocDB::DBInstance", "AWS::Neptune::DBInstance", "AWS::Redshift::Cluster")),
    Matter(
        "a mount target takes an address in its subnet (tenants of kind efs)",
        ("aws_efs_mount_target", "AWS::EFS::MountTarget"),
    ),
    Matter(
        "an interface endpoint takes an address in each of its subnets (tenants of kind vpcEndpoint)",
        ("aws_vpc_endpoint", "AWS::EC2::VPCEndpoint", "vpc endpoints"),
    ),
    Matter(
        "a NAT gateway takes an address of its subnet (tenants of kind natGateway)",
        ("aws_nat_gateway", "AWS::EC2::NatGateway"),
    ),
    Matter(_BALANCER, ("aws_lb", "aws_alb", "aws_elb")),
    Matter(_BALANCER, ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer")),
    Matter(
        "a cache node takes an address (tenants of kind elasticache)",
        ("aws_elasticache_cluster", "aws_elasticache_replication_group", "aws_elasticache_serverless_cache"),
    ),
    Matter(
        "a cache node takes an address (tenants of kind elasticache)",
        ("AWS::ElastiCache::*Cluster", "AWS::ElastiCache::ReplicationGroup", "AWS::ElastiCache::ServerlessCache"),
    ),
    Matter("a broker takes an address (tenants of kind msk)", ("aws_msk_cluster", "aws_msk_serverless_cluster")),
    Matter("a broker takes an address (tenants of kind msk)", ("AWS::MSK::Cluster", "AWS::MSK::ServerlessCluster")),
    Matter(
        "a data node takes an address (tenants of kind opensearch)",
        ("aws_opensearch_domain", "aws_elasticsearch_domain", "AWS::OpenSearchService::Domain"),
    ),
    Matter(
        "a controller takes an address (tenants of kind directory)",
        ("aws_directory_service_directory", "AWS::DirectoryService::MicrosoftAD", "AWS::DirectoryService::SimpleAD"),
    ),
    Matter(
        "an attachment takes an address in each of its subnets (tenants of kind transitGateway)",
        ("aws_ec2_transit_gateway_vpc_attachment", "AWS::EC2::TransitGateway*Attachment"),
    ),
    Matter(_HOLDER, ("aws_networkfirewall_firewall", "aws_route53_resolver_endpoint", "aws_mq_broker")),
    Matter(_HOLDER, ("aws_fsx_*_file_system", "aws_dms_replication_instance", "aws_emr_cluster", "aws_dax_cluster")),
    Matter(_HOLDER, ("aws_workspaces_workspace", "aws_appstream_fleet", "aws_batch_compute_environment")),
    Matter(_HOLDER, ("aws_sagemaker_notebook_instance", "aws_sagemaker_domain", "aws_memorydb_cluster")),
    Matter(_HOLDER, ("aws_apprunner_vpc_connector", "aws_mwaa_environment", "aws_ec2_client_vpn_network_association")),
    Matter(_HOLDER, ("aws_ec2_instance_connect_endpoint", "aws_codebuild_project", "aws_cloud9_environment_ec2")),
    Matter(_HOLDER, ("AWS::NetworkFirewall::Firewall", "AWS::Route53Resolver::ResolverEndpoint")),
    Matter(_HOLDER, ("AWS::AmazonMQ::Broker", "AWS::FSx::FileSystem", "AWS::DMS::ReplicationInstance")),
    Matter(_HOLDER, ("AWS::EMR::Cluster", "AWS::DAX::Cluster", "AWS::WorkSpaces::Workspace", "AWS::MWAA::Environment")),
    Matter(_HOLDER, ("AWS::Batch::ComputeEnvironment", "AWS::MemoryDB::Cluster", "AWS::EC2::InstanceConnectEndpoint")),
    # nodes
    Matter(_NODES, ("aws_autoscaling_group", "AWS::AutoScaling::AutoScalingGroup", "aws_eks_node_group")),
    Matter("each pod on Fargate takes an address (tenants of kind fargate)", ("aws_eks_fargate_profile",)),
    Matter("each pod on Fargate takes an address (tenants of kind fargate)", ("AWS::EKS::FargateProfile",)),
    # pods and manifests
    Matter("it can apply ENIConfigs, Karpenter pools or pods", ("kubectl_manifest", "kubectl_path_documents")),
    Matter("it can apply ENIConfigs, Karpenter pools or pods", ("kubernetes_manifest", "k8s_manifest")),
    Matter("its chart can run pods and set the CNI", ("helm_release", "Helm release")),
    Matter(_PODS, ("kubernetes_deployment*", "kubernetes_stateful_set*", "kubernetes_daemonset*", "kubernetes_pod*")),
    Matter(_PODS, ("kubernetes_daemon_set*", "kubernetes_job*", "kubernetes_cron_job*")),
    Matter(_PODS, ("kubernetes_replication_controller*", "kubernetes_replica_set*")),
    Matter(_PODS, ("Workflow", "CronWorkflow", "WorkflowTemplate", "JobSet", "LeaderWorkerSet", "StrimziPodSet")),
    Matter(_PODS, ("Ray*", "SparkApplication", "ScheduledSparkApplication", "MPIJob", "PyTorchJob", "TFJob")),
    Matter(
        _PODS, ("VirtualMachine", "VirtualMachineInstance*", "CloneSet", "AdvancedStatefulSet", "Kafka", "Revision")
    ),
    Matter(_NODES, ("Nodegroup of eks.services.k8s.aws", "NodeGroup of eks.*", "*Machine* of *cluster.x-k8s.io")),
    Matter("it can make a network, nodes or pods", ("*FargateProfile of *", "AWSManagedControlPlane of *")),
    Matter(_PODS, ("* of *.*",)),  # a custom resource that states replicas or containers
    Matter("its charts and manifests can run pods", ("Application", "ApplicationSet", "HelmRelease", "Kustomization")),
    Matter("the pods it selects take a branch interface each (securityGroups)", ("SecurityGroupPolicy",)),
    Matter("it gives pods without requests their requests", ("LimitRange",)),
    Matter("it changes the requests of pods", ("VerticalPodAutoscaler",)),
    Matter("it restricts where pods can run", ("placement rule", "device request")),
    Matter("it changes the number of pods", ("kubernetes_horizontal_pod_autoscaler*",)),
    Matter(_BALANCER, ("kubernetes_ingress*", "load balancer (kubernetes_service)")),
    Matter("an add-on can run pods on nodes", ("aws_eks_addon", "AWS::EKS::Addon", "add-on")),
    # other files and code
    Matter("what a module creates is not known", ("module",)),
    Matter("it gives a block of the stated size to a VPC", ("aws_vpc_ipam_pool_cidr_allocation",)),
    Matter("it can change the cluster", ("local-exec command",)),
    Matter("what a nested stack creates is not known", ("AWS::CloudFormation::Stack", "aws_cloudformation_stack*")),
    Matter("what it creates is not known", ("Custom::*", "AWS::CloudFormation::CustomResource", "Fn::ForEach")),
    Matter("what the macro creates is not known", ("Fn::Transform", "AWS::CloudFormation::Macro")),
    Matter("the subnets in it are not known", ("local zone", "Outpost")),
    Matter(
        "an EFA node has an interface with an address for each network card (tenants of kind other)",
        ("efaEnabled", "enable_efa_support", "EFA interface"),
    ),
)


@cache
def why_it_matters(kind: str) -> str | None:
    """Reason why a part of this kind could matter to a plan; None if it does not.

    >>> why_it_matters("aws_autoscaling_group"), why_it_matters("aws_iam_role")
    ('it can make nodes', None)
    """
    return next((m.why for m in MATTERS if any(fnmatchcase(kind, k) for k in m.kinds)), None)


@dataclass
class Account:
    """Parts of an input by kind, in the order of the input, and those of them that are in the plan."""

    met: dict[str, dict[str, None]] = field(default_factory=dict)
    used: set[tuple[str, str]] = field(default_factory=set)

    def meet(self, kind: str, place: str) -> None:
        self.met.setdefault(kind, {})[place] = None

    def use(self, kind: str, place: str) -> None:
        self.used.add((kind, place))

    def unread(self) -> Mapping[str, Sequence[str]]:
        """Places that were met, not used, and could matter, by kind."""
        left = {kind: [p for p in places if (kind, p) not in self.used] for kind, places in self.met.items()}
        return {kind: places for kind, places in left.items() if places and why_it_matters(kind)}


def unread_text(kind: str, places: Sequence[str]) -> str:
    """Sentence of the note on the unread parts of one kind.

    >>> unread_text("aws_autoscaling_group", ["a", "b"])
    '2 aws_autoscaling_group not in the plan (a, b): it can make nodes'
    """
    named = some_of(places, MOST_PLACES)
    return f"{len(places)} {kind} not in the plan ({named}): {why_it_matters(kind) or 'not read'}"
