"""Subnets: who holds which addresses, what reservations and /28 blocks leave, what is free."""
