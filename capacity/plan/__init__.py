"""The plan file: read strictly and turned into frozen objects."""
