"""From one file's bytes to its findings and its repaired bytes: pure, without printing and without file access."""
