"""``python -m benchmarks``: speed against peers, as ratios measured in one run."""
