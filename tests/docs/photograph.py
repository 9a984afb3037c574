"""Take the picture of the comment in `docs/`: `python -m tests.docs.photograph`, which `docs/review.md` shows.

Take it again after a change of the comment: the picture keeps the hash of the comment that it shows, and a test
compares it. It needs GitHub's own engine for Markdown and a browser, which nothing else needs, so they are not in the
lock: `pip install cmarkgfm PyQt6-WebEngine pillow` in an environment of their own. Arguments: `light` or `dark`, and
another file.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMENT = ROOT / "tests" / "review" / "plans" / "comment.md"
PICTURE = ROOT / "docs" / "review-comment.png"
WIDTH = 900
_TALLEST, _COLOURS, _KEY = 8000, 32, "comment"
# Plain rules of our own, near to what a pull request shows.
_STYLE = """
:root { --text: #1f2328; --ground: #fff; --line: #d1d9e0; --band: #f6f8fa; --code: #eff1f3; --faint: #59636e }
.dark { --text: #f0f6fc; --ground: #0d1117; --line: #3d444d; --band: #151b23; --code: #262c36; --faint: #9198a1 }
body { margin: 0; padding: 16px; font: 14px/1.5 "Noto Sans", "Liberation Sans", sans-serif }
body { color: var(--text); background: var(--ground) }
h3 { font-size: 1.25em; margin: 0 0 16px } h4 { font-size: 1em; margin: 24px 0 16px }
table { border-collapse: collapse; margin: 0 0 16px } tr:nth-child(2n) { background: var(--band) }
th, td { border: 1px solid var(--line); padding: 6px 13px }
code { font: 85% "Noto Sans Mono", "Liberation Mono", monospace; background: var(--code) }
code { padding: .2em .4em; border-radius: 6px } sub { font-size: 12px; color: var(--faint); vertical-align: 0 }
"""


def digest(comment: str) -> str:
    """Return the hash by which a picture names its comment."""
    return hashlib.sha256(comment.encode()).hexdigest()


def page(comment: str, theme: str) -> str:
    """Return a comment as the page that the browser shows."""
    from cmarkgfm import cmark, github_flavored_markdown_to_html

    body = github_flavored_markdown_to_html(comment, options=cmark.Options.CMARK_OPT_UNSAFE)
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><body class={theme}>{body}"


def photograph(html: str) -> bytes:
    """Return the whole of a page as a picture of the format PNG."""
    from PyQt6.QtCore import QBuffer, QTimer
    from PyQt6.QtWebEngineWidgets import QWebEngineView
    from PyQt6.QtWidgets import QApplication

    application, view, taken = QApplication([__file__]), QWebEngineView(), QBuffer()

    def grow(_: bool) -> None:
        view.page().runJavaScript("document.body.getBoundingClientRect().height", resize)

    def resize(height: float) -> None:
        view.resize(WIDTH, min(int(height) + 1, _TALLEST))
        QTimer.singleShot(1000, take)

    def take() -> None:
        view.grab().save(taken, "PNG")
        application.quit()

    view.resize(WIDTH, 100)
    view.loadFinished.connect(grow)
    view.setHtml(html)
    view.show()
    application.exec()
    return bytes(taken.data())


def small(picture: bytes, comment: str) -> bytes:
    """Return a picture in few colours, with the hash of its comment."""
    from PIL import Image, PngImagePlugin

    texts, saved = PngImagePlugin.PngInfo(), io.BytesIO()
    texts.add_text(_KEY, digest(comment))
    few = Image.open(io.BytesIO(picture)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(saved, "PNG", optimize=True, pnginfo=texts)
    return saved.getvalue()


def main(theme: str = "light", target: str = str(PICTURE)) -> None:
    """Write the picture."""
    # Without a screen, and as the root of a container, whose browser has no sandbox; the page is our own.
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    comment = COMMENT.read_text(encoding="utf-8")
    Path(target).write_bytes(small(photograph(page(comment, theme)), comment))


if __name__ == "__main__":
    main(*sys.argv[1:])
