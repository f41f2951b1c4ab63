"""Judging: metrics of pairs, baselines, the comparison of weights, and its report."""
