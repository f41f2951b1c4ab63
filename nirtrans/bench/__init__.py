"""Benchmarks of kernels and pipelines beside their peers, losses included."""
