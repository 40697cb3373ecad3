"""What the figures mean: findings with codes, and what would mend them."""
