"""Estimates over pools of samples."""
