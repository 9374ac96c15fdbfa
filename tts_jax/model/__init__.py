"""The transformer, its cache, and Hugging Face folders."""
