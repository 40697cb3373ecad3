"""The plan file: what people write, checked strictly and turned into frozen objects."""
