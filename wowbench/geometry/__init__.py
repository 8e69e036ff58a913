"""Mathematics on tensors: Wasserstein, sliced Wasserstein and WoW geometry."""
