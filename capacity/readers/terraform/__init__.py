"""Terraform: HCL, plans and states."""
