"""What a plan and a change cost in dollars a month: prices, hours and fees, each with source and date."""
