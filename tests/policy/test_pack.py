"""The rules as policies: on the values of the policy SDK, as a process of the engine, and on the real CLI."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc
from pulumi_policy import ResourceValidationPolicy, StackValidationArgs, StackValidationPolicy
from pulumi_policy.policy import _NotApplicableError
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from billing_provider.audit.rules import RULES
from billing_provider.core.errors import ConfigError
from billing_provider.policy import policies, run_policy_pack
from tests.cli.test_cli_engine import Cli, cli

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["cli"]

TYPE = "pulumi-python:dynamic/github-billing:"
PROGRAM = "from billing_provider.policy import run_policy_pack\n\nrun_policy_pack()\n"
TOLD = {"will_alert": True, "alert_recipients": ["octocat"]}
QUIET = {"will_alert": False, "alert_recipients": []}
HARD: dict[str, Any] = {
    "enterprise": "octo-enterprise",
    "budget_amount": 700,
    "budget_product_sku": "actions",
    "budget_scope": "enterprise",
    "budget_entity_name": "",
    "prevent_further_usage": True,
    "budget_alerting": TOLD,
}
STACK = {
    "sound": HARD,
    "silent": {**HARD, "budget_product_sku": "packages", "budget_alerting": QUIET},
    "seats": {**HARD, "budget_product_sku": "copilot_for_business", "budget_amount": 4},
    "unknown": {**HARD, "budget_product_sku": UNKNOWN_STRING_VALUE, "budget_alerting": QUIET},
    "damaged": {**HARD, "budget_amount": "x", "budget_alerting": QUIET},
}


class Analyzer:
    """A policy pack in a process of its own, called as the engine does."""

    def __init__(self, folder: Path, program: str = PROGRAM) -> None:
        (folder / "__main__.py").write_text(program)
        # Without -u, the port stays in the buffer of a pipe; the engine starts packs with -u, too.
        self.process = subprocess.Popen([sys.executable, "-u", str(folder)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        port = int(self.process.stdout.readline())
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
        self.stub = analyzer_pb2_grpc.AnalyzerStub(self._channel)

    def judge(self, resources: dict[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
        """Return what the pack reports about a stack: the policy, the text and the resource."""
        listed = []
        for name, inputs in resources.items():
            properties = struct_pb2.Struct()
            properties.update(inputs)
            listed.append(
                analyzer_pb2.AnalyzerResource(
                    type=f"{TYPE}{'UserBudgetBucket' if 'bucket' in inputs else 'EnterpriseBudget'}",
                    name=name,
                    urn=f"urn::{name}",
                    properties=properties,
                )
            )
        bucket = analyzer_pb2.AnalyzerResource(type="aws:s3:Bucket", name="x", urn="urn::x")
        answers = [self.stub.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=[*listed, bucket]))]
        for each in (*listed, bucket):
            request = analyzer_pb2.AnalyzeRequest(type=each.type, name=each.name, urn=each.urn)
            request.properties.CopyFrom(each.properties)
            answers.append(self.stub.Analyze(request))
        return sorted((each.policyName, each.message, each.urn) for answer in answers for each in answer.diagnostics)

    def end(self) -> None:
        """End the process."""
        self._channel.close()
        self.process.terminate()
        self.process.communicate()


@pytest.fixture
def analyzer(tmp_path: Path) -> Iterator[Analyzer]:
    """The pack with the rules that are on by default."""
    found = Analyzer(tmp_path)
    yield found
    found.end()


def test_a_pack_judges_a_stack(analyzer: Analyzer) -> None:
    """Policies without a configuration are the rules without a setting; other resources and unknown values pass."""
    assert analyzer.judge(STACK) == [
        ("alerts", "each budget alerts somebody\neach budget alerts somebody: this one breaks it", "urn::silent"),
        ("alerts", "each budget alerts somebody\neach budget alerts somebody: this one breaks it", "urn::unknown"),
        (
            "stops-nothing",
            "no budget is a cap in name only\nno budget is a cap in name only: this one breaks it",
            "urn::seats",
        ),
    ]


def test_a_configuration_sets_the_rules(analyzer: Analyzer) -> None:
    """The configuration of the pack gives rules their settings, and turns off one that is on."""
    info = analyzer.stub.GetAnalyzerInfo(empty_pb2.Empty())
    assert (info.name, [policy.name for policy in info.policies]) == ("github-billing", list(RULES))
    assert {policy.enforcementLevel for policy in info.policies} == {analyzer_pb2.ADVISORY}
    config: dict[str, dict[str, Any]] = {
        "alerts": {"on": False},
        "stops-nothing": {"on": False},
        "max-amount": {"amount": 600},
        "capped": {"names": ["octo-enterprise", "octo-org"]},
    }
    request = analyzer_pb2.ConfigureAnalyzerRequest()
    for name, values in config.items():
        request.policyConfig[name].properties.update(values)
    analyzer.stub.Configure(request)
    found = analyzer.judge({"sound": HARD})
    assert [(name, text.partition("\n")[2], urn) for name, text, urn in found] == [
        ("capped", "octo-org: no hard stop of its own is known", ""),
        ("max-amount", "no amount is larger: this one breaks it (max-amount=600)", "urn::sound"),
    ]
    rows = {"enterprise": "octo-enterprise", "bucket": "07", "budgets": {"ann": 900, "bob": 800, "carl": 5}}
    lines = {**rows, "budgets": '"ann" 900\n"bob" 800\n'}
    found = analyzer.judge({"t-07": rows, "t-08": {**rows, "budgets": UNKNOWN_STRING_VALUE}, "t-09": lines})
    broken = [urn for name, _, urn in found if name == "max-amount"]
    assert broken == ["urn::t-07", "urn::t-09"], "once, whatever its rows are"


def test_a_program_gives_the_rules(tmp_path: Path) -> None:
    """The program of a pack can choose the rules, their settings and the level; no text has a figure of a budget."""
    rules = {"max-amount": 600, "hard-stop": ["packages"], "umbrella": True}
    call = f'run_policy_pack("caps", enforcement_level="mandatory", rules={rules!r})'
    started = Analyzer(tmp_path, PROGRAM.replace("run_policy_pack()", call))
    soft = {**HARD, "budget_product_sku": "packages", "prevent_further_usage": False, "budget_amount": 5}
    try:
        found = started.judge({"sound": HARD, "soft": soft})
    finally:
        started.end()
    assert [(name, text.partition("\n")[2]) for name, text, _ in found] == [
        ("hard-stop", "the named products have a hard stop: this one breaks it (hard-stop=['packages'])"),
        ("max-amount", "no amount is larger: this one breaks it (max-amount=600)"),
    ]
    assert "700" not in str(found)


def test_what_judges_one_budget_refuses_it_before_it_is_written() -> None:
    """The rules about one budget are policies of resources, which the engine asks before each write."""
    single = {each.name for each in policies() if isinstance(each, ResourceValidationPolicy)}
    assert single == {"alerts", "expiry", "max-amount", "stop-above"}


def test_wrong_rules_and_levels_are_refused() -> None:
    """A misspelt rule, a wrong setting and a wrong level are errors before anything is served."""
    with pytest.raises(ConfigError, match="there is no rule max_amount: write max-amount"):
        policies({"max_amount": 5})
    with pytest.raises(ConfigError, match="write max-amount=DOLLARS"):
        run_policy_pack(rules={"max-amount": "a lot"})
    with pytest.raises(ValueError, match="loud"):
        run_policy_pack(enforcement_level="loud")


def test_a_rule_without_a_setting_does_not_apply() -> None:
    """A policy that needs a setting and has none says which key to configure."""
    (policy,) = (each for each in policies() if each.name == "capped")
    assert isinstance(policy, StackValidationPolicy)
    with pytest.raises(_NotApplicableError) as error:
        policy.validate(StackValidationArgs([]), print)
    assert error.value.reason == "it has no setting: configure `names` of capped"


def pack(cli: Cli) -> Path:
    """Write a policy pack beside the project, and return its folder."""
    folder = cli.project.parent / "pack"
    folder.mkdir()
    runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}
    (folder / "PulumiPolicy.yaml").write_text(json.dumps({"runtime": runtime}))
    (folder / "__main__.py").write_text(PROGRAM)
    return folder


@pytest.mark.cli
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="needs a pulumi on PATH")
def test_the_real_engine_asks_the_pack(cli: Cli) -> None:
    """Preview tells what breaks a rule; a mandatory policy refuses it, in preview, up, and an exported state."""
    folder = pack(cli)
    budget = {**HARD, "secret_amount": 700}
    del budget["budget_amount"]
    cli.declare(sound=budget, silent={**HARD, "budget_product_sku": "packages", "budget_alerting": QUIET})
    shown = cli.run("preview", "--policy-pack", str(folder))
    assert "[advisory]  alerts  (pulumi-python:dynamic/github-billing:EnterpriseBudget: silent)" in shown
    config = cli.project.parent / "config.json"
    config.write_text(json.dumps({"max-amount": {"enforcementLevel": "mandatory", "amount": 600}}))
    strict = ("--policy-pack", str(folder), "--policy-pack-config", str(config))
    for verb in (("preview",), ("up", "--yes", "--skip-preview")):
        shown = cli.run(*verb, *strict, code=1)
        assert cli.writes == []
        assert "[mandatory]  max-amount" in shown
        assert "max-amount=600" in shown
    cli.up()
    state = cli.project / "exported.json"
    cli.run("stack", "export", "--file", str(state))
    shown = cli.run("policy", "analyze", "--file", str(state), *strict, code=None)
    assert "[mandatory]  max-amount" in shown
    assert "[advisory]  alerts" in shown
