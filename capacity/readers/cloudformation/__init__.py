"""Read CloudFormation templates."""
