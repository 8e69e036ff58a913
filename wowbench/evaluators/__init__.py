"""What scores a flow, by name: one evaluator per file."""
