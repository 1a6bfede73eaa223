"""Simulators of Meta's Graph API and Orange's SMS API, as HTTP servers on this machine (docs/simulators.md)."""
