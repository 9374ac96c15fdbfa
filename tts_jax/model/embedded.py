"""The model that ships in the package."""

import pathlib

# A Hugging Face folder: weights, config, tokenizer, and a card on their making.
FOLDER = pathlib.Path(__file__).parent.parent / "assets" / "model"
