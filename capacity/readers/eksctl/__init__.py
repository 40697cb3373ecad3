"""Read eksctl ClusterConfigs."""
