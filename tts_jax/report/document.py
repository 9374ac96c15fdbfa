"""What the pages of a run share: one HTML file that needs nothing but itself.

Styles are inline, nothing is fetched and nothing runs.
"""

import html
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any


def render(
  title: str, parts: Sequence[str], styles: Sequence[str] = ("page.css",)
) -> str:
  """A whole HTML document.

  Args:
    title: shown by the browser; plain text.
    parts: the body, HTML already.
    styles: names of files in `assets/report`, later ones over earlier.
  """
  folder = resources.files("tts_jax").joinpath("assets/report")
  rules = "".join(
    folder.joinpath(name).read_text(encoding="utf-8") for name in styles
  )
  return (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    f"<title>{text(title)}</title>\n"
    f"<style>\n{rules}</style>\n</head>\n<body>\n"
    + "\n".join(parts)
    + "\n</body>\n</html>\n"
  )


def text(value: Any) -> str:
  """`value` as text, safe inside an element or a quoted attribute."""
  return html.escape(str(value), quote=True)


def count(number: int, word: str) -> str:
  """A number of things, such as "1 round" or "1,024 rounds"."""
  return f"{number:,} {word}{'' if number == 1 else 's'}"


def links(pages: Mapping[str, str]) -> list[str]:
  """A line of links, HTML, or nothing; `pages` has URLs by name."""
  items = "".join(
    f'<li><a href="{text(url)}">{text(name)}</a></li>'
    for name, url in pages.items()
  )
  if not items:
    return []
  return [f'<nav aria-label="Pages of this run"><ul>{items}</ul></nav>']
