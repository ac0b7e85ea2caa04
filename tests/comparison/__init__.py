"""Hand-written rules of general tools beside ours, on our fixtures: ``python -m tests.comparison``."""
