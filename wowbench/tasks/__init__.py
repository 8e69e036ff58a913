"""Benchmark tasks by name: what is drawn, moved and scored."""
