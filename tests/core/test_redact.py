"""Masking of tokens in every encoding."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.cli.render import StderrReporter
from billing_provider.core.errors import ApiError, BillingError
from billing_provider.core.redact import (
    MASK,
    MAX_TEXT,
    clean,
    forms,
    is_harmless,
    masked,
    redact,
    remember,
)
from billing_provider.engine_log import EngineLog

if TYPE_CHECKING:
    from billing_provider.runtime.run import Reporter

# What a token may be made of: printable ASCII without the space; no shorter than any that is in use.
TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=80)


def travelling(token: str) -> dict[str, str]:
    """Return the token in the forms in which headers, URLs, logs and tracebacks carry it."""
    raw = token.encode()
    return {
        "plain": token,
        "percent": quote(token, safe=""),
        "form": quote_plus(token),
        "JSON": json.dumps(token),
        "repr": repr(token),
        "bytes": repr(raw),
        "base64": base64.b64encode(raw).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(raw).decode(),
        "base64 without padding": base64.b64encode(raw).decode().rstrip("="),
        "password of nobody": base64.b64encode(b":" + raw).decode(),
        "password of git": base64.b64encode(b"x-access-token:" + raw).decode(),
        "user": base64.b64encode(raw + b":").decode(),
        "user of git": base64.b64encode(raw + b":x-oauth-basic").decode(),
        "hex": raw.hex(),
        "capital hex": raw.hex().upper(),
        "percent of each": "".join(f"%{byte:02x}" for byte in raw),
        "capital percent of each": "".join(f"%{byte:02X}" for byte in raw),
        "base64 within": base64.b64encode(b"12" + raw + b"345").decode(),
        "base64 for URLs within": base64.urlsafe_b64encode(b"1" + raw + b"23").decode(),
    }


@given(token=TOKENS, before=st.text(max_size=20), after=st.text(max_size=20))
def test_every_encoding_of_a_token_is_masked(token: str, before: str, after: str) -> None:
    """No encoding of a token remains in a text, whatever surrounds it."""
    for form in travelling(token).values():
        shown = redact(f"{before} {form} {after}", token)
        assert token not in shown
        assert form not in shown
        assert MASK in shown


@given(token=TOKENS)
def test_the_longest_encoding_is_masked_first(token: str) -> None:
    """An encoding that contains another one is masked completely."""
    lengths = [len(form) for form in forms(token)]
    assert lengths == sorted(lengths, reverse=True)
    assert set(forms(token)) >= {form.strip("'\"") for name, form in travelling(token).items() if name == "hex"}


INVISIBLE = st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs", "Cn", "Co"]), max_size=3)


@given(token=TOKENS, hidden=st.lists(INVISIBLE, min_size=8, max_size=8), around=st.text(max_size=MAX_TEXT))
def test_displayed_texts_are_one_printable_line(token: str, hidden: list[str], around: str) -> None:
    """Any text is displayed on one printable line within the limit, and a hidden token is masked."""
    remember(token)
    blanks = {character for part in hidden for character in part if character.isspace()}
    split = "".join(f"{character}{part}" for character, part in zip(token, [*hidden, *[""] * len(token)], strict=False))
    shown = clean(f"{around[:100]} {''.join(c for c in split if c not in blanks)} {around}")
    assert shown.isprintable()
    assert len(shown) <= MAX_TEXT
    assert token not in shown
    assert MASK in shown
    assert str(BillingError(f"{token}\n{around}")) == clean(f"{token}\n{around}")


def test_tokens_are_masked_before_a_text_is_truncated() -> None:
    """A token at the truncation limit is masked, because masking comes first."""
    remember("sandbox-canary-token")
    assert clean(f"{'x' * 90} sandbox-canary-token", limit=100) == f"{'x' * 90} {MASK}"
    assert clean(f"{'x' * 96} sandbox-canary-token", limit=100) == f"{'x' * 96} ..."


def test_attributes_of_an_api_error_are_clean() -> None:
    """The attributes of an API error are cleaned as its message is."""
    remember("sandbox-canary-token")
    error = ApiError("try\nit", 400, f"no\u202e sandbox-canary-token {'x' * 3000}", "sandbox-canary-token\x1b" * 20)
    assert str(error).startswith(f"try it: GitHub returned 400: no {MASK} xxx")
    assert error.message.startswith(f"no {MASK} xxx")
    assert (len(error.message), len(error.request_id)) == (2000, 80)
    assert "canary" not in f"{error}{error.message}{error.request_id}"


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters()), inner, max_size=3),
        max_leaves=8,
    )
)
def test_masked_json_is_valid_unicode(value: object) -> None:
    """Any masked JSON can be encoded as UTF-8 and contains no token."""
    kept = masked([value, {"canary-token": "canary-token"}], "canary-token")
    text = json.dumps(kept, ensure_ascii=False)
    assert text.encode()
    assert "canary" not in text


PIECES = st.lists(
    st.sampled_from(
        [
            *(
                "ghp_",
                "GHS_",
                "github_pat_",
                "gh\u017f_",
                "abcdef0",
                "eyJ",
                "a.b.c",
                ".",
                "-----BEGIN PRIVATE KEY-----",
            ),
            *(
                "https://",
                "user:pass",
                "@",
                "authorization",
                "author\u0131zation",
                ":",
                " = ",
                "Bearer ",
                "x",
                "_",
                "-",
            ),
            *('"', "'", "\\", "\n", "canary-token", "canary", "-token", "{", "}", ",", " "),
        ]
    ),
    max_size=6,
).map("".join)
JSON = st.recursive(
    st.none() | st.integers() | PIECES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PIECES, inner, max_size=3),
    max_leaves=6,
)


@given(value=JSON, spaces=st.sampled_from([None, 1]), escaped=st.booleans())
@example(value={"authorization": "abc"}, spaces=None, escaped=False)
@example(value=["gh\u017f_abcdef0"], spaces=None, escaped=True)
def test_harmless_json_is_masked_nowhere(value: object, spaces: int | None, escaped: bool) -> None:
    """One look at a JSON text passes only values in which masking each text changes nothing."""
    text = json.dumps(value, indent=spaces, ensure_ascii=escaped)
    if is_harmless(text, "canary-token"):
        assert masked(value, "canary-token") == value


@pytest.mark.parametrize("start", ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "GHO_"])
def test_each_kind_of_token_is_masked_by_itself(start: str) -> None:
    """A text with one token of anybody is no harmless one."""
    assert redact(f"x {start}abcdef0 y") == f"x {MASK} y"
    assert not is_harmless(f'{{"x": "{start}abcdef0"}}')


@given(pieces=PIECES)
def test_a_short_look_finds_what_a_long_one_finds(pieces: str) -> None:
    """A text in which a sign that is not ASCII makes the look long has the same parts masked."""
    for text in (pieces, pieces.upper(), pieces.lower()):
        assert redact(f"\u00e9 {text}") == f"\u00e9 {redact(text)}"


@pytest.mark.parametrize("piece", ["-eyJ", "eyJa.", "ghs_000000-", "-----BEGIN ", "-----BEGIN PRIVATE KEY"])
def test_long_hostile_texts_are_masked_in_linear_time(piece: str) -> None:
    """A long text of beginnings of tokens and keys ends; quadratic time would be hours."""
    assert len(redact(piece * 1_000_000)) <= len(piece) * 1_000_000


def test_several_tokens_are_masked() -> None:
    """Several tokens are masked in one call, and an empty token masks nothing."""
    assert redact("one-token and two-token", "one-token", "", "two-token") == f"{MASK} and {MASK}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nothing here", "nothing here"),
        ("ghp_" + "a" * 36 + ".", f"{MASK}."),
        ("GITHUB_PAT_" + "11A_b" * 6, MASK),
        ("gho_abcdef ghu_abcdef ghs_abcdef ghr_abcdef", " ".join([MASK] * 4)),
        ("ghp_short", "ghp_short"),
        ("https://somebody:secret@example.com/x", f"https://{MASK}@example.com/x"),
        ("https://example.com/@handle", "https://example.com/@handle"),
        ("Authorization: Bearer abc.def rest", f"Authorization: {MASK} rest"),
        ("authorization=token abc", f"authorization={MASK}"),
        ("Authorization: Basic dXNlcjpwYXNz", f"Authorization: {MASK}"),
        ('{"Authorization": "Bearer abc", "Accept": "x"}', f'{{"Authorization": "{MASK}", "Accept": "x"}}'),
        ("{'Authorization': b'Bearer abc'}", f"{{'Authorization': b'{MASK}'}}"),
        ("authorization is missing", "authorization is missing"),
    ],
)
def test_unknown_secrets_are_masked(text: str, expected: str) -> None:
    """GitHub's token formats, user names in URLs and authorization headers are masked, whatever the token."""
    assert redact(text) == expected


def test_escaped_tokens_are_masked_completely() -> None:
    """A token with characters that JSON, repr or URLs escape is masked from its first to its last character."""
    token = "'q/\"w\\e~r+t y'"
    spelled = {token, "%27q%2F%22w%5Ce~r%2Bt%20y%27", "%27q%2F%22w%5Ce~r%2Bt+y%27"}
    spelled |= {json.dumps(token)[1:-1], repr(token)[1:-1]}
    assert len(spelled) == 5
    for text in spelled:
        assert redact(f"<{text}>", token) == f"<{MASK}>"


@pytest.mark.parametrize("token", ["8 bytes!", "canary-tok?n~", "canary-t?ken~~", "canary-token~~~"], ids=str)
@pytest.mark.parametrize("before", range(3))
@pytest.mark.parametrize("after", range(3))
def test_base64_of_a_token_inside_a_longer_text_is_masked(token: str, before: int, after: int) -> None:
    """The base64 characters that depend only on the token are masked; those that include other bits remain."""
    raw = token.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(b"\xff" * before + raw + b"\xff" * after).decode()
        first, end = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        assert redact(text, token) == text[:first] + MASK + text[end:]


@pytest.mark.parametrize("reporter", [EngineLog(""), StderrReporter()], ids=["plugin", "command line"])
def test_warnings_are_clean(reporter: Reporter, capsys: pytest.CaptureFixture[str]) -> None:
    """A warning of the plugin and of the command line is one clean line without the token."""
    remember("sandbox-canary-token")
    reporter.warn("look\nat \x1b[2Jsandbox-\u200bcanary-token")
    assert capsys.readouterr().err == f"warning: look at [2J{MASK}\n"
