"""What Services cost: kube-proxy's rules, their growth, Service addresses, load balancers and cluster limits."""
