"""The sample programme of `make demo`: two campaigns with invented people and numbers."""
