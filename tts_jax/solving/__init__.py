"""Answering a question with a budget: place it, choose a strategy, run it."""
