"""Schemes by name, one file each: how a flow turns gradients into steps."""
