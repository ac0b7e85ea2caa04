"""The graph of one file: values and what computes them, the blocks that hold them, and calls linked to functions."""
