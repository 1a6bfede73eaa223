"""Kite, an invented SMS provider, laid out as a folder of `shared/providers`."""
