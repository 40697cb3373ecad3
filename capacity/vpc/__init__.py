"""Subnets: holders of addresses, reservations, /28 blocks, and free addresses."""
