"""Tables, one module each with a subclass of `wowbench.results.report.Table`."""
