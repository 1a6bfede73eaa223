"""Meta's Graph API and Orange's SMS API as real HTTP servers on this machine. See docs/simulators.md."""
