"""What the pages of a run share: one HTML file that needs nothing but itself.

Styles are inline, nothing is fetched and nothing runs.
"""

import base64
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


def interval(one: Mapping[str, float], mean: str = "mean") -> str:
  """An interval in figures, HTML; `mean` is the name of its middle."""
  low, high = one["low"], one["high"]
  return f"{one[mean]:.3f} <small>[{low:.3f}, {high:.3f}]</small>"


def figure(svg: bytes, alt: str, caption: str, *, wide: bool = False) -> str:
  """A figure with its caption.

  Args:
    svg: the image.
    alt: what it shows, for those who do not see it.
    caption: plain text.
    wide: as wide as the page.
  """
  # As an image, so that the element names of two figures cannot collide.
  data = base64.b64encode(svg).decode("ascii")
  source = f"data:image/svg+xml;base64,{data}"
  # On a phone a wide figure scrolls: shrunk to fit it could not be read.
  style = "scroll wide" if wide else "scroll"
  return (
    f'<figure><div class="{style}"><img alt="{text(alt)}"'
    f' src="{source}"></div>'
    f"<figcaption>{text(caption)}</figcaption></figure>"
  )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """A table of cells that are HTML already; the first column names the row."""
  head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
  body = "".join(
    f'<tr><th scope="row">{first}</th>'
    + "".join(f"<td>{cell}</td>" for cell in rest)
    + "</tr>\n"
    for first, *rest in rows
  )
  return (
    f'<div class="scroll"><table>\n<thead><tr>{head}</tr></thead>\n'
    f"<tbody>\n{body}</tbody></table></div>"
  )


def prose(value: Any) -> str:
  """Text that is too long for one line of a table, HTML."""
  return f'<div class="prose">{text(value)}</div>'


def pairs(pairs: Mapping[str, Any]) -> str:
  """Values by name, plain text both."""
  body = "".join(
    f"<dt>{text(name)}</dt><dd>{text(value)}</dd>"
    for name, value in pairs.items()
  )
  return f"<dl>{body}</dl>"
