"""The sample programme of `make demo`: two campaigns, invented from the first name to the last digit."""
