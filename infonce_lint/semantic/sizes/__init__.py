"""Where an integer comes from: a configuration or a tensor's own shape, and what guards the one by the other."""
