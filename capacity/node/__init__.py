"""The capacity of one node: max pods on every platform, allocatable CPU and memory, and the pods that fit."""
