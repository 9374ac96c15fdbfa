"""Training: batches, steps, checkpoints."""
