"""The jobs that a workflow consists of, one module each; each is one verb of the command line."""
