"""Many files: which there are and under which settings, what is known of them, and what is written back."""
