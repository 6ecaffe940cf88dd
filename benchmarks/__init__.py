"""Speed, scale and truth, measured: `python -m benchmarks.<subject> [--small]`."""
