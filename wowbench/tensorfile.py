"""Files of tensors: what their contents come down to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


def content_digest(tensors: Mapping[str, Tensor], contents: Any = None) -> str:
    """SHA-256 of names, dtypes, shapes and bytes of contiguous CPU tensors, and of JSON values."""
    import torch

    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\0{name}\0{tensor.dtype}\0{list(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()
