"""Benchmarks, as ratios in one run.  Not collected as tests: a benchmark is not a timed test."""
