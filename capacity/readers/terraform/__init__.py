"""Read Terraform: HCL, plans and states."""
