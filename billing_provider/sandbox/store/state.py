"""The state: all records, an injected clock and reproducible ids; with a file, every change is stored."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.store import names, records
from billing_provider.sandbox.store.clock import utc
from billing_provider.sandbox.store.names import same_name
from billing_provider.sandbox.store.records import Content, StoredCostCenter
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date
    from pathlib import Path

    from billing_provider.sandbox.store.records import Member

# Name and members (type, name).
_SAMPLE_COST_CENTERS = (
    ("Platform", (("User", "monalisa"), ("User", "hubot"))),
    ("Data", (("Org", "octo-lab"),)),
)
_SAMPLE_TEAMS = {"developers": ("monalisa", "hubot")}
_FIELDS = {"User": "users", "Org": "organizations"}
_IDS = uuid.UUID("6f63746f-2d62-5c6c-a1e6-2d73616e6462")


class SandboxState:
    """All stored data of the sandbox; with a file, every change replaces the file."""

    seen: names.SandboxNames

    def __init__(
        self,
        clock: Callable[[], float],
        file: Path | None,
        given: Mapping[str, Any],
        seeded: Mapping[str, Any] | None = None,
        create_unknown: Callable[[str], None] | None = None,
    ) -> None:
        # Read the clock here, so that an invalid clock fails before the first request.
        clock()
        self.clock = clock
        self.names = names.read_names(given)
        self._create_unknown = create_unknown
        self._is_named = False
        self._seeded = seeded
        self._file = file
        self._saved = None if file is None else files.read(file)
        if self._saved is None:
            self.reset()
            return
        try:
            self._take(records.read(json_text.parse(self._saved)))
        except ValueError as error:
            raise ValueError(
                f"{file}: {error}; restore a copy of the file, or move it away to start with the sample data"
            ) from None
        for kind, held in vars(self.known).items():
            if missing := [name for name in given.get(kind, ()) if name not in held]:
                raise ValueError(
                    f"{file}: its {kind} are {', '.join(held)}, not {', '.join(missing)}; "
                    "omit the names or use another file"
                )

    @property
    def known(self) -> names.SandboxNames:
        """All names: the given ones or those of the sample data, and those that were created for requests."""
        return self.names.joined(self.seen)

    def find_name(self, kind: str, name: str) -> str | None:
        """Return the stored form of a name of an `enterprise`, `organization` or `user`, or None if it is unknown.

        With `create_unknown`, an unknown name is created, unless GitHub would not accept it. The first one of an
        enterprise or organization replaces the sample data, if no request has named or changed any of it.

        Raises:
            FileError: A new name cannot be saved.
        """
        field = f"{kind}s"
        for held in getattr(self.known, field):
            if same_name(held, name):
                self._is_named = True
                return str(held)
        if self._create_unknown is None or not names.may_be_created(name):
            return None
        if kind != "user" and not self._is_named and self._is_sample():
            self.names = names.NONE
            self.cost_centers.clear()
            self.enterprise_teams.clear()
        self.seen = replace(self.seen, **{field: (*getattr(self.seen, field), name)})
        self.save()
        self._create_unknown(f"The sandbox has created the {kind} {name}, which it did not know.")
        return name

    def _is_sample(self) -> bool:
        changed = self._made or self.budgets or self.exports or self.names != names.SandboxNames()
        changed = changed or self.enterprise_teams != _sample_teams(self.names)
        return not changed and list(self.cost_centers.values()) == _sample_cost_centers(self.names)

    def reset(self) -> None:
        """Reset to the sample data or to the content of the seed; given names stay, created ones do not."""
        self._is_named = False
        if self._seeded is not None:
            self.restore(self._seeded)
            return
        kept = names.SandboxNames() if self.names == names.NONE else self.names
        centers, teams = _sample_cost_centers(kept), _sample_teams(kept)
        self._take(Content(made=0, names=kept, budgets=[], cost_centers=centers, enterprise_teams=teams))
        self.save()

    def new_id(self) -> str:
        """Return the next id: a UUID that depends only on the number of earlier ids, and on those of a seed."""
        while True:
            self._made += 1
            made = str(uuid.uuid5(_IDS, f"record {self._made}"))
            # A seed from another sandbox has that one's ids.
            if made not in self.budgets and made not in self.cost_centers:
                return made

    def today(self) -> date:
        """Return the current day (UTC) of the sandbox's clock."""
        return utc(self.clock()).date()

    def remove_expired(self) -> None:
        """Delete the expired budgets, as GitHub does."""
        today = self.today().isoformat()
        expired = [budget.id for budget in self.budgets.values() if budget.expires_at and budget.expires_at <= today]
        for budget_id in expired:
            del self.budgets[budget_id]

    def find_cost_center(self, reference: str) -> StoredCostCenter | None:
        """Return the active cost center with that UUID or that name."""
        for center in self.cost_centers.values():
            if center.state == "active" and (center.id == reference.lower() or same_name(center.name, reference)):
                return center
        return None

    def cost_center_name(self, reference: str) -> str:
        """Return the name of the cost center with that UUID, including archived ones."""
        return self.cost_centers[reference].name

    def save(self) -> None:
        """Write everything to the file, if there is one.

        Raises:
            FileError: It cannot be written; the state is reset to the content of the file.
        """
        if self._file is None:
            return
        text = json.dumps(self.content(), indent=2) + "\n"
        try:
            files.replace(self._file, text)
        except files.FileError:
            if self._saved is not None:
                self._take(records.read(json.loads(self._saved)))
            raise
        self._saved = text

    def content(self) -> dict[str, Any]:
        """Return everything stored as JSON values."""
        return records.dump(
            Content(
                made=self._made,
                names=self.names,
                seen=self.seen,
                generated_usage=self.generated_usage,
                budgets=list(self.budgets.values()),
                cost_centers=list(self.cost_centers.values()),
                enterprise_teams=self.enterprise_teams,
                exports=list(self.exports.values()),
                spent=self.spent,
            )
        )

    def restore(self, content: Mapping[str, Any]) -> None:
        """Replace everything with an earlier result of `content`.

        Raises:
            ValueError: The content is invalid; nothing is replaced.
            FileError: The file cannot be written; nothing is replaced.
        """
        self._take(records.read(content))
        self.save()

    def _take(self, content: Content) -> None:
        self.budgets = {each.id: each for each in content.budgets}
        self.cost_centers = {each.id: each for each in content.cost_centers}
        self.enterprise_teams = content.enterprise_teams
        self.exports = {each.id: each for each in content.exports}
        self.spent = content.spent
        self.names, self.seen = content.names, content.seen
        self.generated_usage = content.generated_usage
        self._made = content.made


def _sample_cost_centers(own: names.SandboxNames) -> list[StoredCostCenter]:
    centers = []
    for name, members in _SAMPLE_COST_CENTERS:
        replaced = [(kind, own.stand_in(_FIELDS[kind], member)) for kind, member in members]
        # The first organization is not a member, so that some usage has no cost center.
        first = [("Org", login) for login in own.organizations[:1]]
        kept = [pair for pair in dict.fromkeys(replaced) if pair not in first]
        resources: list[Member] = [{"type": kind, "name": member} for kind, member in kept]
        centers.append(StoredCostCenter(str(uuid.uuid5(_IDS, f"cost center {name}")), name, resources=resources))
    return centers


def _sample_teams(own: names.SandboxNames) -> dict[str, list[str]]:
    return {
        slug: list(dict.fromkeys(own.stand_in("users", login) for login in logins))
        for slug, logins in _SAMPLE_TEAMS.items()
    }
