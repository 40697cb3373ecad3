"""Pod-IP capacity planner for Amazon EKS."""

__version__ = "0.1.0"
