"""Revisions: their data, and chains of answers."""
