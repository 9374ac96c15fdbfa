"""Sections of `launch.bench`: each times one kind of work, line by line."""
