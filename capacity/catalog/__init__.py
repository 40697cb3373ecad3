"""Facts about EC2 instance types: interfaces, addresses, CPU, memory, price."""
