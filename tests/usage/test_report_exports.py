"""Report exports from the request to the rows, and downloads without a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.errors import (
    ApiError,
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    OutcomeError,
    TransportError,
    WaitError,
)
from billing_provider.core.settings import Settings
from billing_provider.reader import Reader
from billing_provider.transport import download as downloads
from billing_provider.transport.download import download
from billing_provider.usage.models import exact_sum
from billing_provider.usage.report_exports import ReportExports
from billing_provider.usage.report_exports_api import ReportExportsApi
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.core.owners import Owner
    from billing_provider.sandbox import Sandbox
    from tests.support.harness import RunHarness

E = "octo-enterprise"
AUGUST = {"report_type": "detailed", "start_date": "2026-08-01", "end_date": "2026-08-31"}


@pytest.fixture
def reader(harness: RunHarness) -> Reader:
    return Reader(harness.run)


def test_a_report_is_requested_polled_and_downloaded(sandbox: Sandbox, harness: RunHarness, reader: Reader) -> None:
    """The rows add up to the month's summary, the wait is shown, and the same report is not requested twice."""
    rows = reader.report_rows(enterprise=E, **AUGUST)
    summary = reader.summary("usage/summary", enterprise=E, year=2026, month=8)
    assert exact_sum(float(row["net_amount"]) for row in rows) == summary.net_amount
    assert [(write.method, write.body) for write in sandbox.writes] == [("POST", {**AUGUST, "send_email": False})]
    name = "the detailed report of enterprise octo-enterprise, 2026-08-01 to 2026-08-31"
    assert harness.reporter.statuses == [
        f"waiting for {name}",
        f"waiting for {name}",
        f"fetching {name}: part 1 of 1",
    ]
    assert harness.clock.sleeps == [2.0, 4.0]
    assert reader.report_rows(enterprise=E, **AUGUST) == rows
    assert len(sandbox.writes) == 1
    (export,) = reader.report_exports(enterprise=E)
    assert reader.report_export(enterprise=E, report_id=export.id) == export
    assert (export.status, export.actor, len(export.download_urls)) == ("completed", "octocat", 1)
    assert export.download_urls[0] not in repr(export)


def test_long_periods_are_requested_in_parts(sandbox: Sandbox, reader: Reader) -> None:
    """GitHub exports at most 31 days at once, so the parts are requested one after the other."""
    reader.report_rows(enterprise=E, report_type="ai_credit", start_date="2026-07-15", end_date="2026-09-01")
    assert [(write.body["start_date"], write.body["end_date"]) for write in sandbox.writes] == [
        ("2026-07-15", "2026-08-14"),
        ("2026-08-15", "2026-09-01"),
    ]


def test_another_export_in_progress_is_waited_for(sandbox: Sandbox, harness: RunHarness, enterprise: Owner) -> None:
    """GitHub processes one export at a time, so the request is repeated after the other one."""
    calls = harness.run.api(ReportExportsApi)
    calls.create_report_export(enterprise, {"report_type": "summarized", "start_date": "2026-09-01"})
    rows = ReportExports(harness.run, enterprise).rows(**AUGUST)
    assert rows
    assert [write.status for write in sandbox.writes] == [202, 409, 202]
    assert harness.reporter.statuses[0].startswith("waiting for another report before the detailed report")


@pytest.mark.parametrize(
    ("action", "posts"), [("reset_after", 1), ("502_after", 1), ("reset_before", None), ("502_before", None)]
)
def test_an_unanswered_request_is_confirmed_by_the_listing(
    action: str, posts: int | None, sandbox: Sandbox, reader: Reader
) -> None:
    """An export whose request had no response is found in the listing; without it the failure is raised."""
    sandbox.plan([{"op": "create_export", "action": action}])
    if posts is None:
        with pytest.raises((TransportError, ApiError)):
            reader.report_rows(enterprise=E, **AUGUST)
        posts = 1
    else:
        assert reader.report_rows(enterprise=E, **AUGUST)
    assert len(sandbox.writes) == posts


def test_a_failed_export_is_an_error(sandbox: Sandbox, reader: Reader) -> None:
    """A failed export is an error, and the next call requests a new one."""
    sandbox.switch("export_fails")
    with pytest.raises(OutcomeError, match="the export ended with the status failed"):
        reader.report_rows(enterprise=E, **AUGUST)
    sandbox.switch("export_fails", on=False)


def test_a_slow_export_ends_at_the_maximum_wait(new_run: Callable[..., RunHarness]) -> None:
    """The wait ends at maxWaitSeconds, and GitHub continues to process the export."""
    with pytest.raises(WaitError, match="run again later"):
        Reader(new_run(max_wait_seconds=1.0).run).report_rows(enterprise=E, **AUGUST)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"report_type": "all"}, "report_type: write one of detailed, summarized, premium_request, ai_credit"),
        ({"start_date": "August"}, "start_date: write a date such as 2026-01-31, not 'August'"),
        ({"end_date": "2026-07-31"}, "start_date: choose a date that is not after end_date"),
    ],
    ids=str,
)
def test_invalid_arguments_are_refused(change: dict[str, str], words: str, sandbox: Sandbox, reader: Reader) -> None:
    """An invalid type or date is an error, and nothing is sent."""
    with pytest.raises(ConfigError, match=words):
        reader.report_rows(enterprise=E, **{**AUGUST, **change})
    assert sandbox.requests == []


def test_errors_of_github_are_raised(reader: Reader, new_run: Callable[..., RunHarness]) -> None:
    """Days that GitHub does not keep, and tokens without permission, raise GitHub's error."""
    with pytest.raises(InvalidError, match="past 24 months"):
        reader.report_rows(enterprise=E, report_type="detailed", start_date="2020-01-01", end_date="2020-01-02")
    with pytest.raises(ForbiddenError):
        Reader(new_run(token="sandbox-fine-grained").run).report_exports(enterprise=E)
    with pytest.raises(NotFoundError):
        reader.report_export(enterprise=E, report_id="none")


EXPORT = {"id": "1", **AUGUST, "status": "completed"}


@pytest.mark.parametrize(
    ("created_at", "again"),
    [("2026-09-02T00:00:00Z", True), ("2026-09-03T00:00:00Z", False), ("2026-09-21T01:00:00Z", False), (None, True)],
)
def test_an_old_export_is_reused_only_with_final_figures(
    created_at: str | None, again: bool, new_run: Callable[..., RunHarness]
) -> None:
    """An export whose figures were not final when it was created is requested again on another day."""
    old = {**EXPORT, "created_at": created_at}
    made = answer(202, {**EXPORT, "id": "2"})
    replies = [answer(200, {"usage_report_exports": [old]}), *([made] if again else [])]
    with WireServer(*replies) as server:
        assert Reader(new_run(base_url=server.url).run).report_rows(enterprise=E, **AUGUST) == []
        assert len(server.heard) == len(replies)


@pytest.mark.parametrize("call", ["list_report_exports", "get_report_export", "create_report_export"])
def test_invalid_export_responses_are_errors(call: str, enterprise: Owner, new_run: Callable[..., RunHarness]) -> None:
    """An invalid response is an error that names the request."""
    arguments: dict[str, tuple[Any, ...]] = {"get_report_export": ("1",), "create_report_export": ({},)}
    with WireServer(answer(200, {"usage_report_exports": [{}], "id": 5})) as server:
        calls = ReportExportsApi(new_run(base_url=server.url).run.transport)
        with pytest.raises(TransportError, match="of enterprise octo-enterprise"):
            getattr(calls, call)(enterprise, *arguments.get(call, ()))


def local(url: str, **chosen: Any) -> Settings:
    return Settings(Credentials(Token("sandbox-canary-token-5up3r")), url, **chosen)


def test_a_download_sends_no_token() -> None:
    """The token is not sent, also after a redirect, and a byte-order mark is not part of the text."""
    moved = answer(302, "", location="/elsewhere")
    with WireServer(moved, answer(200, "\ufeffa,b\n", content_type="text/csv")) as server:
        text = download(f"{server.url}/part?sig=1", local(server.url), "fetch it")
    assert text == "a,b\n"
    assert [heard.split(" ")[1] for heard in server.heard] == ["/api/v3/part?sig=1", "/elsewhere"]
    assert "canary" not in "".join(server.heard)
    assert "authorization" not in "".join(server.heard).lower()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (answer(403, "denied"), "the link returned 403"),
        (b"", "the download is incomplete"),
        (answer(302, "", location="/again"), "more than 5 redirects"),
        (answer(200, "x" * 2000), "larger than 0 MiB"),
    ],
    ids=["refused", "reset", "loop", "large"],
)
def test_a_failed_download_is_an_error(reply: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every failure is an error that does not contain the link."""
    monkeypatch.setattr(downloads, "MAX_BYTES", 1000)
    with WireServer(reply) as server, pytest.raises(TransportError, match=words) as caught:
        download(f"{server.url}/part?sig=s3cret", local(server.url), "fetch it")
    assert "s3cret" not in str(caught.value)


def test_http_links_are_refused_for_github() -> None:
    """A link without https is refused if the API is not on this machine."""
    with pytest.raises(TransportError, match="the link is not an https URL"):
        download("http://example.org/part", local("https://api.github.com"), "fetch it")
