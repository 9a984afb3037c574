"""Fixtures for tests of stacks: GitHub's billing API, and Pulumi programs that run against it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

# Every pytest run with this package installed imports this module, so the fixtures import what they need.
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from billing_provider.engine import Engine, ForkServer
    from billing_provider.sandbox import Sandbox


class StackFactory(Protocol):
    """Creates the stacks of one test, all with the same sandbox."""

    def __call__(
        self,
        stack: str = "dev",
        project_dir: str | Path | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Engine:
        """Return an engine for a stack that is empty at first; a failing run raises RunFailedError.

        Args:
            stack: The stack's name.
            project_dir: The folder of Pulumi.yaml; by default the nearest one above the test's own file.
            settings: Configuration, keys with namespace, in addition to those of Pulumi.<stack>.yaml.
            env: Added to the environment of the program and of its plugin.

        Raises:
            ValueError: The key of a setting has no namespace; the message has the right name.
        """


@pytest.fixture
def billing_sandbox_strict() -> bool:
    """Whether `billing_sandbox` refuses owners that it does not know; override it to return True."""
    return False


@pytest.fixture
def billing_sandbox(*, billing_sandbox_strict: bool) -> Iterator[Sandbox]:
    """GitHub's billing API for this test: an enterprise without budgets, and a log of its requests.

    Owners that it does not know are created, each with one line of output, unless `billing_sandbox_strict` is True.

    At the end, the test fails if a planned fault did not occur, unless it was planned with `required=False`.
    """
    from billing_provider.sandbox import Sandbox  # noqa: PLC0415 - see the top

    with Sandbox(create_unknown=None if billing_sandbox_strict else print) as sandbox:
        yield sandbox
        if untriggered := sandbox.untriggered_faults():
            pytest.fail(
                f"planned faults that did not occur: {untriggered}; correct the plan, or plan them with required=False",
                pytrace=False,
            )


@pytest.fixture(scope="session")
def pulumi_fork_server() -> Iterator[ForkServer]:
    """Import the SDK and this package once per test session, so that runs start faster."""
    from billing_provider.engine import ForkServer  # noqa: PLC0415 - see the top

    with ForkServer("billing_provider.sdk.budget", "billing_provider.operations") as fork_server:
        yield fork_server


@pytest.fixture
def pulumi_stack(
    billing_sandbox: Sandbox, pulumi_fork_server: ForkServer, request: pytest.FixtureRequest, tmp_path: Path
) -> StackFactory:
    """Create stacks of the project under test; they have `preview`, `up`, `refresh`, `destroy` and `outputs`."""
    from billing_provider.engine import Engine, config  # noqa: PLC0415 - see the top
    from billing_provider.sandbox.operations.access import OTHER_CREDENTIALS  # noqa: PLC0415 - see the top

    def make(
        stack: str = "dev",
        project_dir: str | Path | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> Engine:
        folder = find_project(request.path) if project_dir is None else Path(project_dir)
        for key in settings or {}:
            if ":" not in key:
                project = config.read_project(folder, stack).name
                raise ValueError(
                    f"settings: {key!r} has no namespace: write 'github-billing:{key}' for the provider "
                    f"or '{project}:{key}' for the program"
                )
        github = {"github-billing:baseUrl": billing_sandbox.url, "github-billing:token": billing_sandbox.token}
        state_file = tmp_path / "pulumi" / f"{stack}.json"
        merged = {**github, **OTHER_CREDENTIALS, **(settings or {})}
        return Engine(folder, stack, state_file, env=env, settings=merged, check=True, fork_server=pulumi_fork_server)

    return make


def find_project(path: Path) -> Path:
    """Return the nearest folder at or above a path that has a Pulumi.yaml.

    Raises:
        LookupError: There is none.
    """
    for folder in (path, *path.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder
    raise LookupError(f"no Pulumi.yaml above {path}: pass the project's folder as pulumi_stack(stack, project_dir)")
