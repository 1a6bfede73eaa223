"""An invented second SMS provider: one folder (`kite`) and one row (`row.py`)."""
