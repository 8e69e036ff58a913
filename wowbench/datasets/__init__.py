"""Labelled images by name, one file a kind."""
