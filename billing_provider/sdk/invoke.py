"""What all data functions of a program share: one set of settings, one reporter, and each question asked once."""

from __future__ import annotations

import asyncio
import os
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import pulumi
from pulumi.runtime import settings as pulumi_settings

from billing_provider.core.redact import clean
from billing_provider.core.settings import read_settings
from billing_provider.runtime.run import Run
from billing_provider.usage.queries import Reader

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class ProgramLog:
    """How data functions speak: the program's process has the engine's log, but no resource to speak for."""

    def warn(self, text: str) -> None:
        """Show a warning of the program."""
        pulumi.log.warn(clean(text))

    def status(self, text: str) -> None:
        """Show what is being waited for, in place of what was shown before."""
        if pulumi_settings.SETTINGS.engine is not None:
            pulumi.log.info(clean(text), ephemeral=True)


class _Answers:
    """The answers of one program run; safe to share between threads."""

    def __init__(self) -> None:
        self.reader = Reader(Run(lambda: read_settings(pulumi.runtime.get_config, os.environ), ProgramLog()))
        self._lock = threading.Lock()
        self._turns: dict[Any, threading.Lock] = {}
        self._found: dict[Any, Any] = {}

    def once(self, key: Any, ask: Callable[[], Any]) -> Any:
        """Return the answer to a question, asked at the first time only; a failure is not remembered."""
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        with turn:
            if key not in self._found:
                self._found[key] = ask()
            return self._found[key]


class _Program:
    """The answers of the program that runs now; one process can run several, one after the other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._monitor: Any = None
        self._answers: _Answers | None = None

    def answers(self) -> _Answers:
        """Return the answers of this program run; it is told from others by its connection to the engine."""
        monitor = pulumi_settings.SETTINGS.monitor
        with self._lock:
            if self._answers is None or monitor is not self._monitor:
                self._monitor, self._answers = monitor, _Answers()
            return self._answers


_PROGRAM = _Program()


def ask(question: Callable[..., T], **given: Any) -> T:
    """Return the answer to a question; in one program run each is asked once.

    Args:
        question: Asks it; a method of `Reader`.
        **given: Its arguments.
    """
    answers = _PROGRAM.answers()
    # By what is written: an argument of a wrong type may have no hash, and the question says what is wrong with it.
    key = (question.__qualname__, *sorted((name, repr(value)) for name, value in given.items()))
    found: T = answers.once(key, lambda: question(answers.reader, **given))
    return found


def later(function: Callable[..., T], **given: pulumi.Input[Any]) -> pulumi.Output[T]:
    """Return a function's answer as an Output, once its arguments are known; the program goes on meanwhile."""
    return pulumi.Output.all(**given).apply(lambda known: asyncio.to_thread(lambda: function(**known)))
