"""How many rows tensors have, for the planner of fixes."""
