"""Benchmarks of the project against the alternatives: python -m bench."""
