"""Losses run by `verify`: what it finds out about right ones, about mutants, and about fixes."""
