"""What a flow decreases: values and WoW gradients."""
