"""Deterministic simulation: the real use cases on the fakes, a clock that jumps, and a seeded choice of who runs next
and what breaks. `python -m tests.simulation` runs seeds; docs/chaos.md says what they do."""
