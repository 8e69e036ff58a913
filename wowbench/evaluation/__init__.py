"""Networks, their training, and metrics."""
