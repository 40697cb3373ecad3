"""The monthly cost of a plan and of a change in dollars: prices, hours and fees, each with source and date."""
