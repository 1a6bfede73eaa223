"""Kite, an invented SMS provider, as a folder of `shared/providers` would have it."""
