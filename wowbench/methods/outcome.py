"""What a method gives back, held against what it promised."""


def check_outcome(method, outcome, problem, context):
    """Placeholder."""
