"""Benchmarked methods by name, one file each."""
