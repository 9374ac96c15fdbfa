"""Questions, prompts, answers and grading, on the host."""
