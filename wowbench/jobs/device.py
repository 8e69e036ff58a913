"""The device that a job computes on."""

from wowbench.errors import InputError


def resolve_device(name: str) -> str:
    """Turn "auto" into "cuda" or "cpu".

    Raises
    ------
    InputError
        If a GPU is asked for and torch finds none.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda': torch finds no GPU here; expected 'cpu' or 'auto'")
    return name
