"""A second SMS provider that does not exist: one folder (`kite`) and one row (`row.py`)."""
