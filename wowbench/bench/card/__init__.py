"""What a CUDA card is asked for: agreement, times, flows and tests, part by part."""
