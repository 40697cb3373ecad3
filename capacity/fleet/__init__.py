"""Many plans at once: shared subnets counted together, quotas across clusters, and the engines that share the work."""
