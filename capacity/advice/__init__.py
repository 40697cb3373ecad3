"""What the figures mean: findings with codes, and the changes that fix them."""
