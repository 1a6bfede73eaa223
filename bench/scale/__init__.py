"""A day of fifty organisations and ten million messages on paper: which quota of AWS binds first (docs/scale.md)."""

from bench.scale.table import table

__all__ = ["table"]
