"""What one node offers: max pods on every platform, allocatable CPU and memory, how many pods fit."""
