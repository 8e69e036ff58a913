"""Figures, one module each with a subclass of `wowbench.results.report.Figure`."""
