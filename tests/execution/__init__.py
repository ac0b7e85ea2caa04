"""Runs the losses of the fixtures before and after their fix and compares what they return."""
