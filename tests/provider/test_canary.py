"""One token, many ways to leak it: nothing that the plugin lets out holds it in any form."""

from __future__ import annotations

import base64
import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import redact
from billing_provider.core.settings import read_settings
from tests.faults.world import spellings
from tests.support.plugin import PROVIDERS, CallError, FakeEngine, Plugin, urn_of
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CANARY = "canary-4f1c9e7a2b8d-token"
_RAW = CANARY.encode()
FORMS = {
    "plain": CANARY,
    "percent": "".join(f"%{byte:02x}" for byte in _RAW),
    "hexadecimal": _RAW.hex(),
    "capital hexadecimal": _RAW.hex().upper(),
    "base64": base64.b64encode(_RAW).decode(),
    "base64 after a user": base64.b64encode(b"a-user:" + _RAW).decode(),
    "base64 of a header": base64.urlsafe_b64encode(b"Authorization: Bearer " + _RAW + b"\r\n").decode(),
    "base64 before a colon": base64.b64encode(b"xy" + _RAW + b":").decode(),
}
INPUTS = {"enterprise": "octo-enterprise", "budget_product_sku": "actions", "budget_amount": 1}
_LONG = "x" * 1990

# Everything the standard library and the packages below ours can be made to say.
_LOUD = """
import http.client, logging
http.client.HTTPConnection.debuglevel = 1
logging.basicConfig(level=logging.DEBUG)
"""


def echoes(form: str) -> dict[str, bytes]:
    """Return answers that give the token back, as careless proxies and error pages do, by the place it stands in."""
    header = f"Authorization: Bearer {form}"
    return {
        "message": answer(403, {"message": f"bad request: {header}"}),
        "message that is cut": answer(403, {"message": f"{_LONG} {form}"}),
        "list of errors": answer(422, {"message": "Validation Failed", "errors": [form, {"message": form}]}),
        "error without message": answer(422, {"message": "", "errors": [{"field": form, "code": form}]}),
        "request id": answer(404, {"message": "Not Found"}, X_GitHub_Request_Id=form),
        "request id that is cut": answer(404, {"message": "Not Found"}, X_GitHub_Request_Id="y" * 70 + form),
        "redirect": answer(307, {"message": form}, Location=f"https://example.invalid/{form}?token={form}"),
        "redirect within": answer(307, {"message": form}, Location=f"/{form}"),
        "page of HTML": answer(401, f"<html>{header}</html>", content_type="text/html"),
        "success that is none": answer(200, f'{{"budgets": "{form}"', content_type="application/json"),
        "wrong form": answer(200, [form]),
        "wrong fields": answer(200, {"budgets": [{form: form, "id": 5}], form: form}),
        "limit": answer(429, {"message": f"rate limit of {form}"}, Retry_After="0", X_RateLimit_Resource=form),
    }


SCENARIOS = list(product(FORMS, echoes("")))


@pytest.fixture(scope="module")
def loud_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose Python is set to say everything, and whose netrc knows this machine."""
    home = tmp_path_factory.mktemp("home")
    (home / "sitecustomize.py").write_text(_LOUD, encoding="utf-8")
    (home / ".netrc").write_text(f"machine 127.0.0.1 login someone password {CANARY}\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def loud(loud_home: Path) -> Iterator[tuple[FakeEngine, WireServer, Plugin]]:
    """A plugin that is set to say everything, before a server that says what it is told; a newline ends the token."""
    engine = FakeEngine()
    env = {
        "GITHUB_BILLING_TOKEN": f"{CANARY}\n",
        "HOME": str(loud_home),
        "PYTHONPATH": str(loud_home),
        "PYTHONFAULTHANDLER": "1",
    }
    config = {"github-billing:maxWaitSeconds": "0.01"}
    with (
        WireServer(answer(404, {})) as server,
        Plugin(engine.address, {**env, "GITHUB_API_URL": server.url}, config, interpreter=True) as plugin,
    ):
        yield engine, server, plugin
    engine.stop()


def test_there_are_enough_ways() -> None:
    """More than fifty ways to leak are tried."""
    assert len(SCENARIOS) >= 50


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_no_answer_makes_the_plugin_say_its_token(form: str, loud: tuple[FakeEngine, WireServer, Plugin]) -> None:
    """Whatever place of an answer holds whatever form of the token, no error, log, status or state does."""
    engine, server, plugin = loud
    said: list[str] = []
    for reply in echoes(form).values():
        server.replies = (reply,)
        heard = len(server.heard)
        said += [_said(call, plugin) for call in (_create, _read, _delete)]
        assert f"Bearer {CANARY}\r\n" in "".join(server.heard[heard:])
    said += [line.text for line in engine.lines] + plugin.printed
    assert any("urllib3" in line for line in plugin.printed)
    seen = spellings(CANARY)
    assert [text for text in said if any(spelling in text for spelling in seen)] == []


@pytest.mark.parametrize("name", ["github-billing:token", "GITHUB_BILLING_TOKEN", "GITHUB_TOKEN"])
@pytest.mark.parametrize(
    "spoiled", [f"{CANARY} x", f"{CANARY}\nx", f"{CANARY}\x00", f"\u201c{CANARY}\u201d"], ids=ascii
)
def test_a_token_that_no_token_can_be_is_refused_unseen(name: str, spoiled: str) -> None:
    """A token with a space, a line break, a control character or typographic quotes is named by its place alone."""
    config = {name: spoiled} if ":" in name else {}
    with pytest.raises(ConfigError) as caught:
        read_settings(config.get, {} if config else {name: spoiled})
    assert name in str(caught.value)
    assert CANARY not in str(caught.value) + repr(caught.value)


def test_a_short_token_takes_no_other_text_with_it() -> None:
    """A text of a few letters is not masked, since it could stand in any word; the settings refuse such a token."""
    assert redact("an ab in QWxhZGRpbg== and YWI=", "ab") == "an ab in QWxhZGRpbg== and YWI="
    with pytest.raises(ConfigError, match="fewer than 8 characters"):
        read_settings(lambda _: None, {"GITHUB_TOKEN": "ab"})


def _said(call: Callable[[Plugin], Any], plugin: Plugin) -> str:
    try:
        return json.dumps(call(plugin))
    except CallError as error:
        return str(error)


def _create(plugin: Plugin) -> Any:
    inputs, _ = plugin.check(urn_of("EnterpriseBudget", "a"), {}, {**INPUTS, "__provider": _provider()})
    return plugin.create(urn_of("EnterpriseBudget", "a"), inputs)


def _read(plugin: Plugin) -> Any:
    state = {**INPUTS, "budget_id": "1", "__provider": _provider()}
    return plugin.read(urn_of("EnterpriseBudget", "a"), "enterprise/octo-enterprise/1", state, {})


def _delete(plugin: Plugin) -> Any:
    state = {**INPUTS, "budget_id": "1", "__provider": _provider()}
    return plugin.delete(urn_of("EnterpriseBudget", "b"), "enterprise/octo-enterprise/1", state)


def _provider() -> str:
    return PROVIDERS["EnterpriseBudget"]
