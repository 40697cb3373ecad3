"""Facts of the files of an import that show neither in the plan nor in the notes, with the reason, by door.

A fact is written as benchmarks/import_facts.py labels it: deleted or changed, file, keys. A pattern without a silent
fact fails the benchmark too.
"""

from __future__ import annotations

_API = "the reader knows objects by their kind; the version of the API changes no field that it reads"
_NAME = "a name of an object, which is not in the plan"
_KIND = "without its kind, an object is known by its group of the API or its keys"

KUBECTL = {
    r"apiVersion$": _API,
    r"^\w+ (kubectl|objects)\.yaml \[0\]\.kind$": "a list is known by its items",
    r"deleted .*\[(Node|Pod|DaemonSet|Deployment|HorizontalPodAutoscaler)/[^]]*\]\.kind$": _KIND,
    r"(Node|HorizontalPodAutoscaler|ReplicaSet)/[^]]*\]\.metadata\.name$": _NAME,
    r"(Pod/[^]]*|pods\.json \[\d\]\.items\[\d\])\]?\.metadata\.(name|namespace)$": _NAME,
    r"containers\[[\w-]*\]\.name$": "a name of a container; only that of aws-node has a meaning",
    r"initContainers\[[\w-]*\]\.name$": "a name of a container",
    r"deleted .*topology\.kubernetes\.io/region$": "the zones give the region",
    r"has-trunk-attached|status\.allocatable\.vpc\.amazonaws\.com/pod-eni": "follows from the type and ENABLE_POD_ENI",
    r"annotations\.node\.alpha|providerID|status\.addresses": "bears on no address that a plan counts",
    r"status\.(capacity|allocatable)\.(cpu|memory|pods)$": (
        "compared with the computed value: the same, within the tolerance, or beside the other of capacity and "
        "allocatable"
    ),
    r"nodeInfo\.(architecture|operatingSystem|osImage)$": "the same family, or the type decides",
    r"Pod/web-1\].*ownerReferences|ReplicaSet/web[^]]*\]\.metadata\.ownerReferences.*controller": (
        "the name of the ReplicaSet leads to the same Deployment, and its only owner is the controller"
    ),
    r"Pod/web-1\]\.(metadata\.labels|spec\.(nodeName|hostNetwork|nodeSelector|overhead|containers.*resources))": (
        "the template of its Deployment has the last word, except that larger requests of its pods count"
    ),
    r"Pod/web-1\]\.status\.(phase|podIP)": "the Deployment has the replicas; an IPv4 address",
    r"Pod/lone\]\.(spec|metadata)": "a finished pod takes no address",
    r"ReplicaSet/web[^]]*\]\.spec\.replicas": "the Deployment has the replicas",
    r"Deployment/web\]\.spec\.selector": "the owner references lead from pods to controllers",
    r"deleted .*strategy\.type$": "the default is RollingUpdate",
    r"deleted .*topologySpreadConstraints\[0\]\.(maxSkew|whenUnsatisfiable)$": "the default of the field",
    r"deleted .*labelSelector\.matchLabels\.app$": "an empty selector selects every pod",
    r"StatefulSet/db\]\.spec\.(podManagementPolicy|updateStrategy\.type)": "the order of pods changes no address",
    r"deleted .*StatefulSet/db\]\.spec\.updateStrategy\.rollingUpdate\.maxUnavailable": "the default is 1",
    r"volumeClaimTemplates\[0\]\.metadata\.name": _NAME,
    r"deleted .*volumeClaimTemplates\[0\]\.spec\.storageClassName": "the default class is the same",
    r"is-default-class": "every claim names its class",
    r"hugepages": "the note names the resource, without its amount",
    r"tolerations\[a\]\.(operator|effect)$": "Equal is the default, and every effect tolerates the taint's",
    r"SecurityGroupPolicy/web\]\.(metadata\.name|spec\.podSelector)": "what is left selects the same pods",
    r"Job/once\]\.spec\.completions": "more completions than parallel pods",
    r"initContainers\[aws-vpc-cni-init\]\.env": "settings of the init container change no address",
    r"MY_NODE_NAME": "a variable without a value of its own",
    r"API_TOKEN": "counted as a variable that is not copied",
    r"changed .*aws-node\]\.image$": "the same version",
    r"DaemonSet/logs\].*nodeSelector\.pool": "no other group has its value either",
    r"spec\.minReplicas": "lower than the replicas",
    r"deleted .*scaleTargetRef\.(name|kind)": "the name of the autoscaler, and Deployment",
    r"securityGroups": "security groups take no addresses",
    r"pods\.json .*spec\.nodeName": "the node is not in the file",
    r"deleted pods\.json .*status\.phase": "without a phase, a pod is not finished",
    r"pods\.json .*status\.podIP": "an IPv4 address",
    r"pods\.json .*\.kind$": _KIND,
    r"objects\.yaml .*resources\.requests\.(cpu|memory)": "the other containers decide the larger sum",
}
EKSCTL = {
    r"apiVersion$|\.kind$": _API,
    r"deleted .*metadata\.region$": "the zones give the region",
    r"metadata\.tags|iam\.|cloudWatch\.": "takes no address",
    r"cluster-more.*controlPlaneOnPrivateSubnets": "Auto Mode has the control plane on private subnets anyway",
    r"deleted .*cluster-more.*privateCluster\.enabled": "the default is false",
    r"cluster-more.*additionalEndpointServices": "the cluster is not private",
    r"\[own\]\.ami$": "overrideBootstrapCommand sets max pods",
    r"changed .*\[own\]\.overrideBootstrapCommand": "what follows --use-max-pods false",
    r"deleted .*autoModeConfig\.enabled": "autoModeConfig without it is noted as Auto Mode",
    r"eksctl\.yaml .*availabilityZones\[[01]\]$": "the file lists its subnets",
    r"vpc\.id$|vpc\.nat\.gateway|privateNetworking": "the file lists its subnets, and the group names its own",
    r"labels\.(pool|a)$": "the file has no pods that labels select",
    r"deleted .*\[batch\]\.instanceType$": "mixed is no type: instancesDistribution has them",
    r"maxPrice": "a price",
    r"eksctl\.yaml .*autoModeConfig\.nodePools": "Auto Mode is not enabled",
    r"changed .*\[own\]\.amiFamily": "the boot script sets max pods, and every family has one",
    r"deleted .*cpuArchitecture": "the default is x86_64",
}
KARPENTER = {
    r"apiVersion$": _API,
    r"template\.metadata\.labels|spec\.tags": "the file has no pods that labels select; tags take no address",
    r"nodeClassRef\.(group|kind)$": "the name finds the same node class, and the kind or the group says Auto Mode",
    r"deleted .*\]\.operator$": "the API has no requirement without an operator; read as In",
    r"instance-cpu\]\.values\[0\]$": "no type has 17 vCPUs",
    r"broad\].*instance-type\]\.values\[0\]$": "one of more types than the plan lists",
    r"broad\].*capacity-type\]\.operator$": "without values, Exists and NotIn allow the same",
    r"\]\.spec\.(amiFamily|amiSelectorTerms\[0\]\.alias)$": "the other of family and alias says the same family",
    r"EC2NodeClass/default\]\.spec\.userData": "a script without max pods",
    r"\[NodePool/gpu\]\.spec\.limits\.nodes": "the limit of GPUs allows fewer nodes",
    r"networkCardIndex|deleted .*interfaceType|\[0\]\.interfaceType": "each interface with an address counts alike",
}
HELM = {
    r"\.init\.|image\.region|resources\.": "the init container, the registry and requests change no setting of the CNI",
    r"deleted .*eniConfig\.region$": "the zones of its subnets, or no zone",
    r"securityGroups": "security groups take no addresses",
}
CLOUDFORMATION = {
    r"AWSTemplateFormatVersion|\.Transform$": "changes no resource: the loops are evaluated without it",
    r"Parameters\.\w+\.Type$": "the default has the shape of the type",
    r"Conditions\.(Never|Known)\.|template\.yaml .*Unused": "no resource with this condition matters or is created",
    r"Conditions\.(Prod|Open)\.Fn::Equals": "compared with a value that is not known: noted, whatever the other is",
    r"Conditions\.Small|Fn::If\[1\]": "the branch that is not taken",
    r"changed .*Parameters\.Zones\.Default": "only the first zone is read",
    r"Tags\[?.*(Name|PropagateAtLaunch|Value|Key)|Tags\.Fn::If": (
        "names of the VPC and unknown tags; a tag of the CNI or the cluster counts by its key"
    ),
    r"VpcId\.Ref": "the template has one VPC",
    r"DependsOn|SecurityGroup|ServiceToken|Outputs\.": "takes no address",
    r"Cidr\[1\]$": "how many blocks there are; the first is the same",
    r"LaunchTemplateName|LaunchTemplate\.(Id|Version)|LaunchTemplateSpecification": "there is one launch template",
    r"LaunchTemplateData\.InstanceType": "the groups have their own types",
    r"LaunchTemplateData\.ImageId|\[0\]\.Parameters\.Image\.Default|deleted .*AmiType": (
        "the boot script, or the default of EKS, says the same family"
    ),
    r"changed .*UserData\.Fn::Base64": "the same max pods",
    r"ClusterName\.Ref": "the template has one cluster",
    r"Labels\.pool": "the file has no pods that labels select",
    r"ServiceName|Alb\.Properties\.Name": "the logical ID is the name",
    r"deleted .*Alb\.Properties\.Type": "the default is application",
    r"(Nested|Inner)\.Properties\.Parameters": "the nested template is not in the input, which is noted",
    r"NetworkInterfaces\[[01]\]\.NetworkCardIndex|deleted .*InterfaceType": "every interface with an address counts",
    r"changed .*Fn::Split\[0\]": "a list in one text is split anyway",
}
_OF_TERRAFORM = "bookkeeping of Terraform"
TERRAFORM_JSON = {
    r"\[0\]\.(version|format_version|terraform_version|serial|lineage)$": _OF_TERRAFORM,
    r"(outputs|provider|schema_version|arn|\.tags)$": _OF_TERRAFORM,
    r"\.mode$": "what a data source finds has the same addresses",
    r"\.(address|index|index_key|name)$": "one of several facts that name the resource, or not in the plan",
    r"(configuration|resource_changes).*\.type$": "the values of the plan have the type",
    r"resources\[[^]]*\]\.module$": "a name of a module",
    r"tfstate .*resources\[web\]\.type$": "a launch template of a group that has its own type",
    r"resource_changes.*change\.(actions|before|after|after_unknown)": "the planned values are those after it",
    r"configuration.*(cluster_name|launch_template\[0\]\.id)\.references": "the values of the plan have it",
    r"configuration.*references\[\d\]$": "the other references of the expression lead to the same resource, or to none",
    r"module_calls\.\w+\.(source|module\.resources)$": "the values of the plan have the resources of the module",
    r"variables\.|provider_config": "the zones give the region",
    r"vpc_id$|attributes\.id$": "the input has one VPC, and one cluster",
    r"cluster_name$": "the input has one cluster",
    r"launch_template\[(0|web)\]\.(id|version)$|\[web\].*instance_type$": "the group has its own type",
    r"deleted .*instance_types\[0\]$": "its launch template has the same type",
    r"deleted .*(node_group_name|compute_config\[0\]\.enabled|load_balancer_type)$": (
        "the name of the resource, and the defaults"
    ),
    r"labels\.a$": "the file has no pods that labels select",
    r"\[own\]\.values\.tag\[": "the boot script shows that its instances are nodes",
    r"service_name|chart|manifest\.(apiVersion|metadata\.name)$": "the address of the resource is the name",
    r"planned_values.*vpc_config\[0\]$": "an empty block",
    r"connectivity_type": "a NAT gateway takes an address, public or private",
}
TERRAFORM_HCL = {
    r"required_providers|provider \"aws\"|version         =": "no value of the plan depends on it",
    r": \"(nodes|cni|web)\"$": "a name of a resource, or a label",
    r"cidrs = \[for i in range\(2\)": "one block more than there are subnets",
    r"big   = |\"x\"$|max\(1, 2": "the branch, default or operand that is not taken",
    r"role/cni": "a tag of the CNI counts by its key",
    r"instance_type = \"m5.large\"": "the group has its own types",
    r"10\.4\.|azs  |\"other\"": "of the second VPC and its cluster, which are noted",
    r"addons     =|a = \{ instance_types|b = \{ instance_type|module \"eks\"": "of the second cluster, which is noted",
}
AWS = {
    r"PrivateIpAddresses\[\d+\]|\.PrivateIpAddress$": "an interface counts by the number of its addresses",
    r"(VpcId|NetworkInterfaceId|ReservationId|AssociationId|ReservationId|AvailabilityZoneId|OwnerId|[aA]rn|Arn)$": (
        "an ID that no other answer refers to, or that another one has too"
    ),
    r"NetworkInterfaces\[[^]]*\]\.(InterfaceType|Status|Description|RequesterId|Groups|Attachment|TagSet)": (
        "the other of type, description, tags and attachment show the same holder"
    ),
    r"Instances\[[^]]*\]\.(Tags|SubnetId|State|InstanceId|InstanceType|AvailabilityZone)": (
        "the interfaces and the node groups have the nodes"
    ),
    r"auto-scaling-groups\.json": "the group of a managed node group, which has its sizes",
    r"iam-roles|RoleDetailList|\.Policies\[|security-groups|SecurityGroups": "for the doctor: takes no address",
    r"Subnets\[[^]]*\]\.State$": "a subnet is pending for a moment",
    r"LoadBalancers\[[^]]*\]\.": "the interfaces have its kind, its name and its addresses",
    r"SubnetIpv6CidrReservations": "IPv6",
    r"(CidrBlockState\.State|deleted .*\.CidrBlock)$": "the other of block and its association",
    r"nodegroup\.(version|nodeRole|labels\.\w+|clusterName|launchTemplate\.name)$": (
        "the cluster has the version and the name; the file has no pods that labels select; the ID has the template"
    ),
    r"nodegroup\.resources\.autoScalingGroups": "its group is not in the answers",
    r"cluster\.(status|resourcesVpcConfig\.(vpcId|securityGroupIds|clusterSecurityGroupId))": "takes no address",
    r"addon\.(status|health|clusterName)|coredns": "health of add-ons, and an add-on that is in every cluster",
    r"aws-more.*(Cluster\.(Version|ResourcesVpcConfig|ComputeConfig)|addon\.)": "a later file has the same object",
    r"aws-more.*\[Node/n\]": "for the doctor",
    r"LaunchTemplateData\.(NetworkInterfaces\[0\]|ImageId)": "one interface; the type of the group has the AMI",
    r"changed .*LaunchTemplateData\.UserData$": "base64 that decodes to the same start",
    r"deleted .*AvailableIpAddressCount": "the count of the interfaces is the same",
}
REASONS: dict[str, dict[str, str]] = {
    "aws": AWS,
    "kubectl": KUBECTL,
    "eksctl": EKSCTL,
    "karpenter": KARPENTER,
    "helm": HELM,
    "cloudformation": CLOUDFORMATION,
    "terraform-json": TERRAFORM_JSON,
    "terraform-hcl": TERRAFORM_HCL,
}
