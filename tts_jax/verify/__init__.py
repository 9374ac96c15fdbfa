"""Verifiers: rewards of steps, choosing, Monte Carlo labels."""
