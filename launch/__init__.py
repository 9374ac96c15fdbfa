"""Launchers: read a config, call the library, write results."""
