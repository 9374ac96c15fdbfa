"""Configurations, one function `get_config` a file."""
