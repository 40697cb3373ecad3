"""Read Kubernetes objects from kubectl, files, Helm charts and Karpenter."""
