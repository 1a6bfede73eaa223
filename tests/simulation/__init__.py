"""Deterministic simulation: the real use cases on the fakes, a clock that jumps, and seeded faults and interleavings.

`python -m tests.simulation` runs seeds; docs/chaos.md describes them.
"""
