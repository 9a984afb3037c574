"""Judge runs by GitHub before and after each, and by the words that were said; never by the code under test.

Each rule has a kind, which is the first part of a finding:

- `silent`: a cap goes, rises or loses alerts, and no word says so with the figure;
- `late`: only the run says so, although a clean preview came before it;
- `false`: a word that is not true;
- `limit`: a write past a limit;
- `by hand`: what was made by hand is deleted;
- `declared`: what the program declares is deleted;
- `surprise`: a run fails right after a clean preview;
- `secret`: a figure or a name of a secret input is said;
- `duplicates`: two budgets with one key;
- `noise`: the preview right after a run says or sends something;
- `unsent`: a changed value is stored that GitHub does not have, and the next preview hides it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.guard.world import NEVER_CREATED, RECIPIENTS, Effect
from tests.support.plugin import urn_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.guard.world import Declared, Fields, Run

_SAME_SKU = {
    "copilot_ai_credits": "copilot_ai_credit",
    "premium_requests": "ai_credits",
}
_IDENTITY = {"enterprise", "organization", "budget_scope", "budget_entity_name", "user", "budget_product_sku"}
_PER_MEMBER = "multi_user_cost_center"
_MOST_NAMES = 10
"""From this many people on, a word may give their number instead."""
_MOST_GAP = 3600.0
_MOVED = re.compile(
    r"(?P<verb>raises|lowers) the (?:most that can be (?:spent|used)|amount)"
    r"(?: by \$(?P<by>[\d,]+)| from \$(?P<old>[\d,]+) to \$(?P<new>[\d,]+))?"
)
_WAIT = re.compile(r"waiting \d+ s")
_EXPIRES = re.compile(r"expires (?:later, )?on (?P<day>\d{4}-\d\d-\d\d)")


class Finding(NamedTuple):
    """What must not be: its kind, such as `silent: a rise`, and what was seen."""

    kind: str
    text: str


@dataclass
class Memory:
    """What earlier runs of a story tell about later ones.

    Attributes:
        hidden: The secret amounts and names, by URN.
        secret: The inputs that are secret, by URN.
        may_delete: The URNs for which a program or a setting has said that a delete deletes.
        unsent: The names of the resources with a changed value that GitHub does not have.
        seen: What each budget was after a run, by id, oldest first: a run without a read knows no more.
    """

    hidden: dict[str, set[Any]] = field(default_factory=dict)
    secret: dict[str, set[str]] = field(default_factory=dict)
    may_delete: set[str] = field(default_factory=set)
    unsent: set[str] = field(default_factory=set)
    seen: dict[str, list[Fields]] = field(default_factory=dict)


def judge(run: Run, before: Sequence[Run], by_hand: set[str], memory: Memory, quirks: Iterable[str]) -> list[Finding]:
    """Return what is wrong with a run.

    Args:
        run: The run.
        before: The runs before it, in order.
        by_hand: The ids of the budgets that were made by hand.
        memory: What is known from earlier runs; it is updated.
        quirks: The quirks that are on.
    """
    found = list(dict.fromkeys(_Judge(run, before, by_hand, memory, set(quirks)).findings()))
    if run.verb == "up" and run.options.targets is None and not run.failed and not run.faulty:
        for name, declared in run.program.items():
            if not declared.secret:
                # From now on the state does not call it secret.
                memory.hidden.pop(urn_of(declared.kind, name), None)
                memory.secret.pop(urn_of(declared.kind, name), None)
    is_told = not any("not compared with GitHub" in word.text for word in run.words)
    reads = run.verb == "refresh" or (is_told and run.options.config.get("previewReads") != "false")
    written = {effect.id for effect in run.effects}
    for id_, budget in run.later.items():
        if reads or id_ in written:
            memory.seen.setdefault(id_, []).append(budget)
    return found


class _Judge:
    def __init__(self, run: Run, before: Sequence[Run], by_hand: set[str], memory: Memory, quirks: set[str]) -> None:
        self.run, self.memory, self.by_hand, self.quirks = run, memory, by_hand, quirks
        last = before[-1] if before else None
        self.last = last if last is not None and _follows(run, last) else None
        is_clean = self.last is not None and self.last.verb == "preview" and _same_program(run, self.last)
        self.preview = self.last if is_clean and run.verb == "up" and self.last and _is_clean(self.last) else None
        self.names = {urn_of(declared.kind, name): name for name, declared in run.program.items()}
        self.budgets = [effect for effect in run.effects if effect.what == "budget"]
        # The texts about each resource, of the run and of its preview.
        self.pool: dict[str, list[str]] = {}
        for word in [*(self.preview.words if self.preview else ()), *run.words]:
            self.pool.setdefault(word.urn, []).append(word.text)

    def findings(self) -> Iterator[Finding]:
        self._learn()
        yield from self._secrets()
        if self.run.verb == "preview":
            yield from self._gone()
            yield from self._noise()
            return
        for effect in self.budgets:
            yield from self._losses(effect)
            yield from self._limits(effect)
            yield from self._deletions(effect)
        yield from self._members()
        yield from self._count_deletes()
        yield from self._surprise()
        yield from self._duplicates()
        if not self.run.failed and not self.run.faulty:
            yield from self._false_words()
            self._compare_sent()

    # --- silent and late

    def _losses(self, effect: Effect) -> Iterator[Finding]:
        old, new = effect.before, effect.after
        if old is None:
            return
        known = [old, *self.memory.seen.get(effect.id, ())]
        if new is None and self._step(effect.urn) == "replace":
            new = self._new_half(effect.urn)
            if old["prevent_further_usage"]:
                told = set().union(*map(figures, known if self._is_blind() else [old]))
                yield from self._must_say("a replacement", effect, "", told, "replac|delet|gone from")
            if self._is_forced(effect.urn):
                # The engine tells the plugin of the old one only when it is to be deleted, after the new one.
                return
        elif new is None and old["prevent_further_usage"]:
            yield from self._must_say("a deletion", effect, "", set().union(*map(figures, known)), "delet|gone from")
        if new is not None and not (effect.call == "Update" and self._is_blind() and old not in known[1:]):
            yield from self._lost_terms(effect, old, new)

    def _lost_terms(self, effect: Effect, old: Fields, new: Fields) -> Iterator[Finding]:
        if new["budget_amount"] > old["budget_amount"]:
            more = figures(new) | _figures(new["budget_amount"] - old["budget_amount"])
            yield from self._must_say("a rise", effect, "budget_amount", more, "rais|replac|from|chang")
        if old["prevent_further_usage"] and not new["prevent_further_usage"]:
            yield from self._must_say("a hard stop", effect, "prevent_further_usage", None, "hard stop|only alerts")
        if new["expires_at"] and (not old["expires_at"] or new["expires_at"] < old["expires_at"]):
            yield from self._must_say("an expiry", effect, "expires_at", {new["expires_at"]}, "expires")
        if old["budget_alerting"]["will_alert"] and not new["budget_alerting"]["will_alert"]:
            yield from self._must_say("alerts", effect, "budget_alerting", None, "alerts nobody|no longer alerts")
            return
        for login in sorted(_alerted(old) - _alerted(new)):
            yield from self._must_say("alerts", effect, "budget_alerting", {login}, "alert")

    def _must_say(self, what: str, effect: Effect, name: str, wanted: set[str] | None, words: str) -> Iterator[Finding]:
        """Yield that no text says a loss, or only the run's own texts.

        Args:
            what: The loss.
            effect: The write.
            name: The input that causes it.
            wanted: The figures or names of which a text must have one; None for no figure.
            words: A pattern that the same text must have too.
        """
        if self._is_secret(effect.urn, name or "budget_amount"):
            wanted = None
            if name in ("budget_amount", "budget_alerting"):
                return
        where = f"{_shown(effect)}; said: {self.pool.get(effect.urn, [])}"
        if not _says([*self.pool.get(effect.urn, []), *self._about(effect.id)], wanted, words):
            yield Finding(f"silent: {what}{self._way(effect)}", where)
            return
        is_asked = what != "a deletion" and not self._is_forced(effect.urn)
        if self.preview is None or not is_asked or self._is_unknown(effect.urn, name):
            return
        if self.run.options.config.get("previewReads") == "false":
            return
        told = [word.text for word in self.preview.words if word.urn == effect.urn or effect.id in word.text]
        if not _says(told, wanted, words):
            yield Finding(f"late: {what}{self._way(effect)}", where)

    def _is_blind(self) -> bool:
        """Return whether a change is compared with the state: reads are off or fail, or a listing lags."""
        is_off = self.run.options.config.get("previewReads") == "false" or "list_lag" in self.quirks
        return is_off or any("not compared with GitHub" in word.text for word in self.run.words)

    def _way(self, effect: Effect) -> str:
        step = self._step(effect.urn)
        way = f" by {step}" if step else f" by {self.run.verb}"
        if self.run.options.targets is not None:
            way += " --target"
        return way

    # --- limits

    def _limits(self, effect: Effect) -> Iterator[Finding]:
        usd, percent = (self._limit(name) for name in ("USD", "PERCENT"))
        if usd is None and percent is None:
            return
        old, new = effect.before, effect.after
        if new is None and old is not None:
            successor = self._new_half(effect.urn)
            if old["prevent_further_usage"] and not (successor and _covers(successor, old)):
                rests = [_remaining(old, place) for place in (self.run.budgets, self.run.later)]
                if all(rest is None or _is_past(rest - old["budget_amount"], old, usd, percent) for rest in rests):
                    yield Finding(f"limit: a hard stop {'moved' if successor else 'deleted'}", _shown(effect))
            return
        assert new is not None
        base = old if old is not None else self._old_half(effect.urn)
        if base is None:
            # A budget that is gone already may come back as it was.
            known = self.memory.seen.get(self.run.held.get(effect.urn, ""), []) if self._comes_back(effect.urn) else []
            came = [new["budget_amount"], *(new["budget_amount"] - each["budget_amount"] for each in known)]
            if usd is not None and min(came) > usd:
                yield Finding("limit: a new budget", _shown(effect))
            return
        way = "" if old is not None else " by a replacement"
        if base["prevent_further_usage"] and not new["prevent_further_usage"]:
            yield Finding(f"limit: no hard stop{way}", f"{_terms(base)}, {_shown(effect)}")
        if _is_past(new["budget_amount"] - base["budget_amount"], base, usd, percent):
            yield Finding(f"limit: a rise{way}", f"{_terms(base)}, {_shown(effect)}")

    def _limit(self, name: str) -> float | None:
        setting = {"USD": "maxIncreaseUsd", "PERCENT": "maxIncreasePercent"}[name]
        given = self.run.options.env.get(f"GITHUB_BILLING_MAX_INCREASE_{name}")
        given = given or self.run.options.config.get(setting)
        return None if given in (None, "off") else float(str(given))

    def _count_deletes(self) -> Iterator[Finding]:
        given = self.run.options.env.get("GITHUB_BILLING_MAX_DELETES") or self.run.options.config.get("maxDeletes")
        gone = [each for each in self.budgets if each.after is None and each.urn not in self.run.holds]
        if given not in (None, "off") and len(gone) > int(str(given)):
            yield Finding("limit: deletions", f"{len(gone)} of {given}: {[_shown(each) for each in gone]}")

    # --- deletions

    def _deletions(self, effect: Effect) -> Iterator[Finding]:
        if effect.after is not None:
            return
        if effect.id in self.by_hand and effect.urn not in self.memory.may_delete:
            yield Finding(f"by hand: deleted{self._way(effect)}", _shown(effect))
        holders = [urn for urn, id_ in self.run.holds.items() if id_ == effect.id and urn in self.names]
        if holders:
            yield Finding(f"declared: deleted{self._way(effect)}", f"{_shown(effect)}, held by {holders}")
        kept = [text for text in self.pool.get(effect.urn, []) if effect.id in text and _keeps(text)]
        if kept:
            yield Finding(f"false: kept, and deleted{self._way(effect)}", f"{_shown(effect)}: {kept}")

    # --- cost centers

    def _members(self) -> Iterator[Finding]:
        for effect in self.run.effects:
            if effect.what != "cost center" or effect.before is None:
                continue
            center, after = effect.before, effect.after or {"resources": [], "state": "deleted"}
            if center["state"] != "active":
                continue
            mine = [
                budget
                for budget in self.run.budgets.values()
                if budget["budget_entity_name"] == center["id"] and budget["prevent_further_usage"]
            ]
            texts = [text for pool in self.pool.values() for text in pool]
            if after["state"] == "deleted":
                for budget in mine:
                    left = self.run.later.get(budget["id"])
                    if left and not _says(texts, figures(budget) | figures(left), "budget|cap|hard stop"):
                        yield Finding("silent: a budget without its cost center", f"{_terms(budget)}: {texts}")
            gone = _people(center) - _people(after)
            for login in sorted(gone) if len(gone) <= _MOST_NAMES else ():
                # Of a cap that the run deletes too, the deletion is told.
                # A person with a budget of their own has no other cap.
                own = {_key(each)[-1] for each in self.run.budgets.values() if (each["user"] or "").lower() == login}
                caps = [
                    each
                    for each in mine
                    if each["budget_scope"] == _PER_MEMBER
                    and each["id"] in self.run.later
                    and _key(each)[-1] not in own
                ]
                if caps and not _says(texts, {login}, "."):
                    yield Finding(f"silent: a member{self._way(effect)}", f"{login} leaves {center['name']}: {texts}")

    # --- surprises, duplicates, noise

    def _surprise(self) -> Iterator[Finding]:
        if self.preview is None or not self.run.failed or self.run.faulty or self._has_unknown():
            return
        if self.run.options.config.get("previewReads") == "false" or any(q.startswith("list_lag") for q in self.quirks):
            return
        failures = [word for word in self.run.words if word.sort in ("error", "problem")]
        deletes = [name for name, step in self.run.steps.items() if step == "delete"]
        for word in failures:
            is_limit = re.search("maxIncrease|maxDeletes", word.text)
            if "no cost center" in word.text and any(effect.what != "budget" for effect in self.run.effects):
                # This run has renamed or archived it before.
                continue
            is_asked = self._step(word.urn) == "replace" and not self._is_forced(word.urn)
            if is_limit and (word.urn.rpartition("::")[2] in deletes or ("delet" in word.text and not is_asked)):
                continue
            text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27,28}", "ID", word.text)
            what = re.search(r"returned \d{3}|exists already|more than once|maxIncrease\w+|declared twice", text)
            yield Finding(f"surprise: {what[0] if what else text[:60]}", word.text)

    def _duplicates(self) -> Iterator[Finding]:
        made = {effect.id for effect in self.budgets if effect.before is None}
        if self.run.faulty and self.quirks & {"total_count_missing", "page_flags_missing"}:
            # Nothing shows that a listing is short.
            return
        if self.run.failed and "list_lag" in self.quirks and any("declares the same" in w.text for w in self.run.words):
            # Its preview has failed: the engine creates the first of the two before it checks the second.
            return
        by_key: dict[tuple[str, ...], list[str]] = {}
        for id_, budget in self.run.later.items():
            by_key.setdefault(_key(budget), []).append(id_)
        for key, ids in by_key.items():
            if "list_lag" in self.quirks and self.by_hand.isdisjoint(ids):
                # The engine says nothing of an older one of this stack before its delete, and the listing lacks it.
                continue
            if len(ids) > 1 and made & set(ids):
                yield Finding("duplicates", f"{key}: {ids}")

    def _noise(self) -> Iterator[Finding]:
        last = self.last
        # A change by hand or a new declaration is no noise.
        if last is None or last.verb != "up" or last.failed or last.faulty or not _same_program(self.run, last):
            return
        hidden = [name for name in self.memory.unsent if self.run.steps.get(name) == "same"]
        if hidden and not self.run.options.ahead and not self.run.failed:
            yield Finding("unsent: hidden by the next preview", f"{hidden}")
        if self.run.options.ahead != last.options.ahead or self._has_unknown() or last.options.replace:
            return
        if self.memory.unsent:
            return
        words = [word.text for word in self.run.words if not re.search("expired on|former cost center", word.text)]
        steps = {name: step for name, step in self.run.steps.items() if step != "same"}
        if words:
            yield Finding("noise: words", f"{words}")
        if steps:
            yield Finding("noise: steps", f"{steps} {self.run.changed}")
        if self.run.reads:
            yield Finding("noise: requests", f"{self.run.reads}")

    def _compare_sent(self) -> None:
        """Remember each changed value that GitHub does not have."""
        if self.run.verb != "up":
            return
        self.memory.unsent.clear()
        for name, changed in self.run.changed.items():
            declared = self.run.program[name]
            urn = urn_of(declared.kind, name)
            live = self.run.later.get(self.run.holds.get(urn, ""))
            if live is None or (live["expires_at"] or self.run.today) < self.run.today:
                continue
            if changed & _unlike(declared, live):
                self.memory.unsent.add(name)

    # --- false words

    def _gone(self) -> Iterator[Finding]:
        """Yield words of a clean preview about a budget that GitHub does not have."""
        if not _is_clean(self.run) or self.run.options.config.get("previewReads") == "false":
            return
        for urn, name in self.names.items():
            id_ = self.run.held.get(urn)
            if id_ in {None, NEVER_CREATED} or id_ in self.run.budgets:
                continue
            if self.run.steps.get(name) not in ("update", "replace"):
                continue
            wrong = [
                text
                for text in self.run.said(urn)
                if (_MOVED.search(text) or "replaces the $" in text) and "adopts the existing budget" not in text
            ]
            if wrong:
                yield Finding("false: a change of a budget that is gone", f"{wrong}")

    def _false_words(self) -> Iterator[Finding]:
        reads = self.run.options.config.get("previewReads") != "false"
        for urn, texts in self.pool.items():
            new = self.run.later.get(self.run.holds.get(urn, ""))
            olds = [
                self.run.budgets[id_]
                for id_ in (self.run.held.get(urn, ""), self.run.holds.get(urn, ""))
                if id_ in self.run.budgets
            ]
            for text in texts:
                yield from self._false_adoption(urn, text)
                # With an identity that is not known yet, a preview says what a replacement would do.
                is_moot = "expired on" in text or (
                    "the replacement " in text and self.run.steps.get(self.names.get(urn, "")) != "replace"
                )
                if new is not None and olds and reads and not is_moot:
                    for reason in _untrue(text, olds, new):
                        yield Finding(f"false: {reason}{self._suffix(urn)}", f"{text!r}: {_both(olds, new)}")

    def _false_adoption(self, urn: str, text: str) -> Iterator[Finding]:
        if not re.search(r"\badopt(s|ed)\b.*\bas it is\b(?!, apart from)", text):
            return
        sent = [
            effect for effect in self.run.effects if effect.urn == urn and effect.call == "Create" and effect.before
        ]
        if sent:
            yield Finding("false: adopted as it is", f"{text!r}: {_shown(sent[0])}")

    # --- secrets

    def _secrets(self) -> Iterator[Finding]:
        for urn, hidden in self.memory.hidden.items():
            amounts = {value for value in hidden if isinstance(value, int)}
            seen = self._amounts(urn)
            figures_ = amounts | {abs(one - other) for one in amounts for other in seen}
            patterns = [rf"(?<![\w.,-]){re.escape(form)}(?![\w-]|[.,]\d)" for n in figures_ if n for form in _forms(n)]
            patterns += [re.escape(str(value)) for value in hidden if isinstance(value, str)]
            if amounts:
                patterns.append(r"[+-]?[\d.,]+ %")
            for word in self.run.words:
                if word.urn != urn:
                    continue
                text = _WAIT.sub("", word.text)
                found = [pattern for pattern in patterns if re.search(pattern, text, re.IGNORECASE)]
                if found:
                    what = "a figure" if any(char.isdigit() for char in found[0]) or "%" in found[0] else "a name"
                    yield Finding(f"secret: {what} in a {word.sort}", f"{word.text!r}: {found[0]}")

    def _amounts(self, urn: str) -> set[int]:
        ids = {self.run.held.get(urn), self.run.holds.get(urn)}
        ids |= {effect.id for effect in self.budgets if effect.urn == urn}
        found = [place[id_] for place in (self.run.budgets, self.run.later) for id_ in ids if id_ in place]
        return {budget["budget_amount"] for budget in found}

    # --- what is known

    def _learn(self) -> None:
        held = {*self.run.held, *(urn_of(each.kind, name) for name, each in self.run.program.items())}
        for urn in self.memory.hidden.keys() - held:
            # The resource is gone; another one may have its name later.
            del self.memory.hidden[urn]
            self.memory.secret.pop(urn, None)
        for urn, name in self.names.items():
            declared = self.run.program[name]
            if declared.inputs.get("on_delete") == "delete" or self.run.options.config.get("onDelete") == "delete":
                self.memory.may_delete.add(urn)
            former = urn_of(declared.kind, declared.alias)
            for place in (self.memory.hidden,):
                if former in place:
                    place.setdefault(urn, set()).update(place[former])
            if former in self.memory.may_delete:
                self.memory.may_delete.add(urn)
            self.memory.secret.setdefault(urn, set()).update(self.memory.secret.get(former, ()), declared.secret)
            for secret in declared.secret:
                self.memory.hidden.setdefault(urn, set()).update(_values(declared.inputs.get(secret)))

    def _is_secret(self, urn: str, name: str) -> bool:
        declared = self.run.program.get(self.names.get(urn, ""))
        hidden = self.memory.hidden.get(urn, set())
        if (declared is not None and name in declared.secret) or name in self.memory.secret.get(urn, ()):
            return True
        kind = int if name == "budget_amount" else str
        return name in ("budget_amount", "budget_alerting") and any(isinstance(value, kind) for value in hidden)

    def _is_unknown(self, urn: str, name: str) -> bool:
        declared = self.run.program.get(self.names.get(urn, ""))
        unknown = set(declared.unknown) if declared else set()
        unknown = {"budget_alerting" if each == RECIPIENTS else each for each in unknown}
        return name in unknown or bool(unknown & _IDENTITY) or (not name and bool(unknown))

    def _has_unknown(self) -> bool:
        return any(declared.unknown for declared in self.run.program.values())

    def _step(self, urn: str) -> str:
        return self.run.steps.get(urn.rpartition("::")[2], "")

    def _suffix(self, urn: str) -> str:
        step = self._step(urn)
        return f" by {step}" if step else ""

    def _about(self, id_: str) -> list[str]:
        return [text for texts in self.pool.values() for text in texts if id_ in text]

    def _new_half(self, urn: str) -> Fields | None:
        return self.run.later.get(self.run.holds.get(urn, ""))

    def _old_half(self, urn: str) -> Fields | None:
        """Return what a replacement takes away: what is kept stays beside the new one."""
        id_ = self.run.held.get(urn, "")
        # A run that failed has not come to its deletions.
        is_kept = (id_ in self.run.later and not self.run.failed) or self._is_forced(urn)
        is_kept |= any(f"budget {id_} stays on GitHub" in text for text in self.pool.get(urn, ()))
        return None if self._step(urn) != "replace" or is_kept else self.run.budgets.get(id_)

    def _is_forced(self, urn: str) -> bool:
        return urn.rpartition("::")[2] in self.run.options.replace

    def _comes_back(self, urn: str) -> bool:
        return self._step(urn) == "replace" and self.run.held.get(urn) not in self.run.budgets


# --- runs


def _follows(run: Run, last: Run) -> bool:
    """Return whether nothing happened on GitHub between two runs."""
    same = run.budgets == last.later and run.centers == last.centers_later
    return same and run.began - last.began < _MOST_GAP


def _same_program(run: Run, last: Run) -> bool:
    one, other = run.options, last.options
    return (
        run.program == last.program
        and (one.targets, one.replace, one.config, one.env) == (other.targets, other.replace, other.config, other.env)
        and run.verb in ("up", "preview")
    )


def _is_clean(run: Run) -> bool:
    return not run.failed and not run.faulty and not any("not compared" in word.text for word in run.words)


# --- texts


def _forms(amount: int) -> list[str]:
    return list(dict.fromkeys([f"{amount:,}", str(amount)]))


def _figures(amount: int) -> set[str]:
    return {f"${form}" for form in _forms(amount)} | {f"{form} license" for form in _forms(amount)}


def figures(budget: Mapping[str, Any]) -> set[str]:
    """Return how a text may write the amount of a budget."""
    return _figures(budget["budget_amount"])


def _says(texts: Iterable[str], wanted: set[str] | None, words: str) -> bool:
    """Return whether one text has one of the figures or names, and fits the pattern."""
    for text in texts:
        has = wanted is None or any(
            re.search(rf"{re.escape(each)}(?![\w]|[.,]\d)", text, re.IGNORECASE) for each in wanted
        )
        if has and re.search(words, text):
            return True
    return False


def _keeps(text: str) -> bool:
    return re.search(r"\bkept\b|\bstays on GitHub\b|a destroy keeps it|keeps the budget", text) is not None


def _untrue(text: str, olds: list[Fields], new: Fields) -> Iterator[str]:
    """Yield what a text says of a change that is true for none of the old budgets."""
    for found in _MOVED.finditer(text):
        if not any(_is_moved(found, old["budget_amount"], new["budget_amount"]) for old in olds):
            yield f"{found['verb']}"
    if "removes the hard stop" in text and not any(
        old["prevent_further_usage"] and not new["prevent_further_usage"] for old in olds
    ):
        yield "removes the hard stop"
    if "adds a hard stop" in text and not any(
        new["prevent_further_usage"] and not old["prevent_further_usage"] for old in olds
    ):
        yield "adds a hard stop"
    if (found_day := _EXPIRES.search(text)) and new["expires_at"] != found_day["day"]:
        yield "expires"
    if "no longer expires" in text and new["expires_at"]:
        # Whether it did before is not always known: GitHub leaves the field out.
        yield "no longer expires"
    if "alerts nobody any more" in text and (
        new["budget_alerting"]["will_alert"] or not any(old["budget_alerting"]["will_alert"] for old in olds)
    ):
        yield "alerts nobody"


def _is_moved(found: re.Match[str], old: int, new: int) -> bool:
    is_way = new > old if found["verb"] == "raises" else new < old
    if found["by"]:
        return is_way and abs(new - old) == _number(found["by"])
    if found["old"]:
        return is_way and (old, new) == (_number(found["old"]), _number(found["new"]))
    return is_way


def _number(text: str) -> int:
    return int(text.replace(",", ""))


# --- budgets


def _key(budget: Mapping[str, Any]) -> tuple[str, ...]:
    sku = budget["budget_product_sku"]
    parts = (budget["owner_kind"], budget["owner"], budget["budget_scope"], budget["budget_entity_name"])
    return (*(part.casefold() for part in parts), (budget["user"] or "").casefold(), _SAME_SKU.get(sku, sku))


def _is_past(more: float, base: Fields, usd: float | None, percent: float | None) -> bool:
    """Return whether a raise is past one of the limits."""
    past_usd = usd is not None and more > usd
    if base["budget_amount"]:
        return past_usd or (percent is not None and more / base["budget_amount"] * 100 > percent)
    # From 0, each raise is above each percentage, unless a limit in dollars allows it.
    return past_usd or (percent is not None and more > 0 and usd is None)


def _covers(wide: Fields, narrow: Fields) -> bool:
    """Return whether a budget caps all usage that another one does."""
    one, other = _key(wide), _key(narrow)
    if one == other:
        return True
    if (one[0], one[1], one[-1]) != (other[0], other[1], other[-1]):
        return False
    if one[2] == "organization":
        return other[2] == "repository" and other[3].startswith(f"{one[3]}/")
    inside = {
        "enterprise": {"organization", "repository"}
        | (set() if wide.get("exclude_cost_center_usage") else {"cost_center"}),
        "multi_user_customer": {"user", _PER_MEMBER},
    }
    return other[2] in inside.get(one[2], ())


def _remaining(old: Fields, there: Mapping[str, Fields]) -> float | None:
    """Return the most that a person has whose own budget goes; None if nothing caps this person then."""
    mine = _key(old)
    caps: dict[str, list[float]] = {"multi_user_customer": [], _PER_MEMBER: []}
    for each in there.values():
        key = _key(each)
        if key[2] in caps and (key[0], key[1], key[-1]) == (mine[0], mine[1], mine[-1]):
            caps[key[2]].append(each["budget_amount"])
    is_capped = mine[2] == "user" and caps["multi_user_customer"]
    return max(caps["multi_user_customer"] + caps[_PER_MEMBER]) if is_capped else None


def _alerted(budget: Mapping[str, Any]) -> set[str]:
    alerting = budget["budget_alerting"]
    return {login.lower() for login in alerting["alert_recipients"]} if alerting["will_alert"] else set()


def _people(center: Mapping[str, Any]) -> set[str]:
    return {member["name"].lower() for member in center["resources"] if member["type"] == "User"}


def _unlike(declared: Declared, live: Mapping[str, Any]) -> set[str]:
    """Return the declared inputs whose value GitHub does not have."""
    inputs, found = declared.inputs, set()
    if "budget_amount" in inputs and inputs["budget_amount"] != live["budget_amount"]:
        is_kept = inputs.get("on_raise") == "keep" and live["budget_amount"] > inputs["budget_amount"]
        found |= set() if is_kept else {"budget_amount"}
    if inputs.get("prevent_further_usage", live["prevent_further_usage"]) != live["prevent_further_usage"]:
        found.add("prevent_further_usage")
    if (inputs.get("expires_at") or None) != live["expires_at"]:
        found.add("expires_at")
    return found


def _values(value: Any) -> set[Any]:
    """Return the amounts and names in a secret input."""
    if isinstance(value, dict):
        return {each.lower() for each in value.get("alert_recipients", ())}
    if isinstance(value, str):
        return {value.lower()}
    return set() if value is None or isinstance(value, bool) else {int(value)}


def _terms(budget: Mapping[str, Any] | None) -> str:
    if budget is None:
        return "nothing"
    stop = "hard stop" if budget["prevent_further_usage"] else "alert"
    where = budget["user"] or budget["budget_entity_name"]
    until = f" until {budget['expires_at']}" if budget["expires_at"] else ""
    alerts = ",".join(sorted(_alerted(budget)))
    alerts = alerts or ("default" if budget["budget_alerting"]["will_alert"] else "nobody")
    return (
        f"${budget['budget_amount']} {stop} on {budget['budget_product_sku']} of {budget['budget_scope']} {where}"
        f"{until}, alerts {alerts}"
    )


def _shown(effect: Effect) -> str:
    name = effect.urn.rpartition("::")[2]
    if effect.what != "budget":
        return f"{effect.call} {name}: {effect.before} -> {effect.after}"
    return f"{effect.call} {name} {effect.id[:8]}: {_terms(effect.before)} -> {_terms(effect.after)}"


def _both(olds: list[Fields], new: Fields) -> str:
    return f"{' or '.join(_terms(old) for old in olds)} -> {_terms(new)}"
