"""The scenarios as data: declarations, external changes, and the runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Verb = Literal["preview", "up", "refresh", "destroy", "killed up"]


@dataclass(frozen=True)
class Do:
    """One step of a scenario."""

    verb: Verb
    # The new declarations; None keeps the previous ones.
    program: str | None = None
    # External changes before the step: toys edited and deleted, by id.
    edit: dict[str, dict[str, Any]] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    ok: bool = True
    # The Pulumi CLI counts a failing preview step only sometimes (a race).
    counted: bool = True
    # Whether the calls are compared: the Pulumi CLI repeats failed checks.
    asked: bool = True
    # Expected text in the messages.
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """Some steps on one stack."""

    steps: list[Do]
    # Toys that do not depend on each other are made in any order.
    ordered: bool = True
    config: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


CHAIN = """
a = Toy("a", amount=5, tags=["x", "y"], nested={"u": 1.5, "v": None})
b = Toy("b", ref=a.made)
pulumi.export("made", b.made)
"""
PLACED = """
a = Toy("a", place="PLACE")
b = Toy("b", key=Output.concat("b-", a.made, "-", a.place), opts=ResourceOptions(OPTIONS))
c = Toy("c", ref=b.made)
"""
# Toys have no output `place`, so a dependent reads it as an output that came back.
PLACED = PLACED.replace("a.place", 'a.urn.apply(lambda _: "x")')
BOX = """
class Box(pulumi.ComponentResource):
    def __init__(self, name, size, opts=None):
        super().__init__("my:box:Box", name, {"size": size}, opts)
        self.toy = Toy(f"{name}-toy", size=size, opts=ResourceOptions(parent=self))
        self.register_outputs({"toy": self.toy.made, "size": size})
"""
NAMED = """
def named(name, former, after=None):
    aliases = [pulumi.Alias(name=former)]
    return Toy(name, key="a", opts=ResourceOptions(aliases=aliases, depends_on=[after] if after else None))

"""


def placed(place: str, options: str = "") -> str:
    """Return a chain of three whose first member is replaced after a deletion when its place changes."""
    return PLACED.replace("PLACE", place).replace("OPTIONS", options)


def toy(properties: str, options: str) -> str:
    """Return one toy `a` with options."""
    return f'Toy("a", {properties}, opts=ResourceOptions({options}))'


SCENARIOS: dict[str, Scenario] = {
    "create_and_keep": Scenario([Do("preview", CHAIN), Do("up"), Do("preview"), Do("up"), Do("destroy")]),
    "update": Scenario(
        [
            Do("up", CHAIN),
            Do("preview", CHAIN.replace("amount=5", "amount=6").replace('"y"', '"z"').replace("1.5", "2")),
            Do("up"),
            Do("up", 'a = Toy("a")\nb = Toy("b", ref=a.made)\npulumi.export("made", b.made)'),
        ]
    ),
    "replace_create_first": Scenario(
        [Do("up", CHAIN), Do("preview", CHAIN.replace('"a",', '"a", key="z",')), Do("up"), Do("up")]
    ),
    "replace_delete_first": Scenario(
        [
            Do("up", 'Toy("a", place="here")'),
            Do("preview", 'Toy("a", place="there")'),
            Do("up"),
            Do("up"),
        ]
    ),
    "cascade": Scenario([Do("up", placed("here")), Do("preview", placed("there")), Do("up"), Do("up"), Do("destroy")]),
    "cascade_of_one_that_has_left": Scenario(
        [Do("up", placed("here")), Do("preview", 'Toy("a", place="there")'), Do("up"), Do("up")]
    ),
    "cascade_stopped_by_protection": Scenario(
        [
            Do("up", placed("here", "protect=True")),
            Do("up", placed("there", "protect=True"), ok=False, says=("as part of replacing",)),
        ]
    ),
    "no_cascade_for_updates": Scenario(
        [
            Do("up", 'a = Toy("a", place="1")\nToy("b", ref=a.made)\nToy("c", opts=ResourceOptions(depends_on=[a]))'),
            Do("up", 'a = Toy("a", place="2")\nToy("b", ref=a.made)\nToy("c", opts=ResourceOptions(depends_on=[a]))'),
        ],
        ordered=False,
    ),
    "delete_before_replace_option": Scenario(
        [
            Do("up", 'Toy("a", key="1", opts=ResourceOptions(delete_before_replace=True))'),
            Do("up", 'Toy("a", key="2", opts=ResourceOptions(delete_before_replace=True))'),
            Do("up", 'Toy("a", key="2", place="x", opts=ResourceOptions(delete_before_replace=False))'),
        ]
    ),
    "protected_from_deletion": Scenario(
        [
            Do("up", 'Toy("a", opts=ResourceOptions(protect=True))\nToy("b")'),
            Do("preview", 'Toy("b")', ok=False, counted=False,
               says=("Preview failed: resource", "cannot be deleted", "preview failed")),
            Do("up", "", ok=False, says=("cannot be deleted", "protected", "update failed")),
            Do("destroy", ok=False, says=("cannot be deleted",)),
            Do("up", 'Toy("a", opts=ResourceOptions(protect=False))'),
            Do("destroy"),
        ],
        ordered=False,
    ),
    "protected_from_replacement": Scenario(
        [
            Do("up", 'Toy("a", opts=ResourceOptions(protect=True))'),
            Do("up", toy('key="z"', "protect=True"), ok=False, says=("unable to replace",)),
            Do("up", 'Toy("a", key="z")'),
        ]
    ),
    "ignored_changes": Scenario(
        [
            Do("up", toy('amount=1, nested={"u": 1, "v": [1, 2]}', 'ignore_changes=["amount"]')),
            Do("up", toy('amount=2, nested={"u": 1, "v": [1, 2]}', 'ignore_changes=["amount"]')),
            Do("up", toy('amount=2, nested={"u": 2, "v": [1, 3], "w": 1}',
                         'ignore_changes=["nested.u", "nested.v[1]", "nested.w"]')),
            Do("up", toy('nested={"u": 3, "v": [4, 5]}', 'ignore_changes=["nested.v[*]", "amount"]')),
        ]
    ),
    "ignored_drift": Scenario(
        [
            Do("up", 'Toy("a", amount=1, b=1, opts=ResourceOptions(ignore_changes=["amount"]))'),
            Do("refresh", edit={"a-1": {"amount": 9, "b": 9}}),
            Do("up"),
        ]
    ),
    "replace_on_changes": Scenario(
        [
            Do("up", toy('amount=1, nested={"u": 1}', 'replace_on_changes=["amount"]')),
            Do("up", toy('amount=1, nested={"u": 2}', 'replace_on_changes=["amount"]')),
            Do("up", toy('amount=2, nested={"u": 2}', 'replace_on_changes=["amount"]')),
            Do("up", toy('amount=2, nested={"u": 3}', 'replace_on_changes=["nested.u", "*"]')),
        ]
    ),
    "vague_difference": Scenario(
        [
            Do("up", 'Toy("a", amount=1, vague=True, opts=ResourceOptions(replace_on_changes=["amount"]))'),
            Do("up", 'Toy("a", amount=2, vague=True, opts=ResourceOptions(replace_on_changes=["amount"]))'),
        ]
    ),
    "alias_after_rename": Scenario(
        [
            Do("up", CHAIN),
            Do("preview", CHAIN.replace(
                'Toy("a",', 'Toy("z", key="a", opts=ResourceOptions(aliases=[pulumi.Alias(name="a")]),')),
            Do("up"),
            Do("up"),
            Do("destroy"),
        ]
    ),
    "alias_after_move_into_component": Scenario(
        [
            Do("up", 'Toy("box-toy", size=1)'),
            Do(
                "up",
                BOX.replace("parent=self", "parent=self, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]")
                + 'Box("box", 1)',
            ),
        ],
        ordered=False,
    ),
    "alias_of_a_parent": Scenario(
        [
            Do("up", BOX + 'Box("box", 1)'),
            Do("up", BOX + 'Box("crate", 1, ResourceOptions(aliases=[pulumi.Alias(name="box")]))'),
        ]
    ),
    "lookup": Scenario(
        [
            Do("up", 'Toy("a", amount=3)'),
            Do("preview", 'Toy("a", amount=3)\ng = Toy("g", ResourceOptions(id="a-1"))\npulumi.export("m", g.made)'),
            Do("up"),
            Do("up"),
            Do("refresh", edit={"a-1": {"amount": 4}}),
            Do("up", 'Toy("a", amount=3)'),
        ],
        ordered=False,
    ),
    "lookup_of_something_absent": Scenario(
        [
            Do("preview", 'Toy("g", ResourceOptions(id="nowhere"))', ok=False, says=("there is no toy nowhere",)),
            Do("up", ok=False, says=("there is no toy nowhere",)),
        ]
    ),
    "lookup_then_own": Scenario(
        [
            Do("up", 'Toy("a")'),
            Do("up", 'Toy("a")\nToy("g", ResourceOptions(id="a-1"))'),
            Do("up", 'Toy("a")\nToy("g")'),
            Do("up"),
        ],
        ordered=False,
    ),
    "own_then_lookup": Scenario(
        [
            Do("up", 'Toy("a")'),
            Do("up", 'Toy("a", ResourceOptions(id="a-1"))'),
            Do("up", ""),
        ]
    ),
    "own_then_lookup_of_another": Scenario(
        [
            Do("up", 'c = Toy("c")\nToy("a", ResourceOptions(depends_on=[c]))'),
            Do("up", 'c = Toy("c")\nToy("a", ResourceOptions(id="c-1", depends_on=[c]))'),
            Do("up"),
        ]
    ),
    "lookup_of_something_new": Scenario(
        [
            Do("preview", 'a = Toy("a")\ng = Toy("g", ResourceOptions(id=a.id))\npulumi.export("m", g.made)'),
            Do("up"),
        ]
    ),
    "alias_claimed_twice": Scenario(
        [
            Do("up", 'Toy("a")'),
            Do("preview", NAMED + 'x = named("x", "a")\nnamed("y", "a", x)', ok=False, asked=False,
               says=("Duplicate resource alias",)),
            Do("preview", NAMED + 'x = named("x", "a")\nnamed("a", "gone", x)', ok=False, asked=False,
               says=("conflicting with alias on resource",)),
            Do("up", NAMED + 'x = named("x", "gone")\nnamed("a", "gone", x)'),
        ]
    ),
    "alias_of_a_parent_with_other_names": Scenario(
        [
            Do("up", BOX.replace('f"{name}-toy"', '"toy"') + 'Box("box", 1)'),
            Do("up", BOX.replace('f"{name}-toy"', '"toy"').replace("my:box:Box", "my:box:Crate")
               + 'Box("crate", 1, ResourceOptions(aliases=[pulumi.Alias(name="box", type_="my:box:Box")]))'),
        ]
    ),
    "cascade_spares_what_has_moved_on": Scenario(
        [
            Do("up", 'a = Toy("a", place="1")\nToy("b", key=Output.concat("b-", a.made))'),
            Do("up", 'b = Toy("b", key="b-made-a")\nToy("a", place="2", opts=ResourceOptions(depends_on=[b]))'),
        ]
    ),
    "cascade_of_components_and_companions": Scenario(
        [
            Do("up", BOX + 'a = Toy("a", place="1")\nBox("box", 1, ResourceOptions(depends_on=[a]))\n'
               'Toy("b", opts=ResourceOptions(deleted_with=a))'),
            Do("up", BOX + 'a = Toy("a", place="2")\nBox("box", 1, ResourceOptions(depends_on=[a]))\n'
               'Toy("b", opts=ResourceOptions(deleted_with=a))'),
        ],
        ordered=False,
    ),
    "drift": Scenario(
        [
            Do("up", CHAIN),
            Do("refresh", edit={"a-1": {"amount": 99, "tags": ["x"]}}),
            Do("refresh"),
            Do("preview"),
            Do("up"),
        ]
    ),
    "drift_without_inputs": Scenario(
        [
            Do("up", 'Toy("a", amount=1, silent=True)'),
            Do("refresh", edit={"a-1": {"amount": 2}}),
            Do("up"),
        ]
    ),
    "gone": Scenario([Do("up", CHAIN), Do("refresh", remove=("a-1",)), Do("preview"), Do("up"), Do("up")]),
    "failed_check": Scenario(
        [
            Do("up", 'Toy("a")'),
            Do("preview", 'a = Toy("a")\nToy("b", ref=a.made, bad="yes", refused=True)', ok=False,
               says=("resource 'b': property bad value {yes} has a problem: it is bad", "it is refused")),
            Do("up", ok=False, says=("it is bad", "it is refused")),
        ]
    ),
    "failed_create": Scenario(
        [
            Do("up", 'a = Toy("a")\nb = Toy("b", ref=a.made, boom="create")\nToy("c", ref=b.made)', ok=False,
               says=("RuntimeError: boom on create", "update failed")),
            Do("up", 'a = Toy("a")\nb = Toy("b", ref=a.made)\nToy("c", ref=b.made)'),
        ]
    ),
    "failed_update": Scenario(
        [
            Do("up", 'Toy("a", amount=1)'),
            Do("up", 'Toy("a", amount=2, boom="update")', ok=False,
               says=("RuntimeError: boom on update", "in two lines")),
            Do("up", 'Toy("a", amount=2)'),
        ]
    ),
    "failed_deletion": Scenario(
        [
            Do("up", 'a = Toy("a", boom="delete")\nToy("b", ref=a.made)'),
            Do("destroy", ok=False, says=("RuntimeError: boom on delete", "update failed")),
            Do("up", 'a = Toy("a", boom="no")'),
            Do("destroy"),
        ]
    ),
    "failed_deletion_of_a_replaced_one": Scenario(
        [
            Do("up", 'Toy("a", boom="delete")'),
            Do("up", 'Toy("a", key="z")', ok=False, says=("RuntimeError: boom on delete",)),
            Do("preview"),
        ]
    ),
    "failed_creation_after_deletion": Scenario(
        [
            Do("up", 'Toy("a", place="1")'),
            Do("up", 'Toy("a", place="2", boom="create")', ok=False, says=("RuntimeError: boom on create",)),
            Do("preview", 'Toy("a", place="2")'),
            Do("up"),
        ]
    ),
    "pending_replacement_that_has_left": Scenario(
        [
            Do("up", 'Toy("a", place="1")'),
            Do("up", 'Toy("a", place="2", boom="create")', ok=False),
            Do("up", ""),
        ]
    ),
    "failed_read": Scenario(
        [Do("up", 'Toy("a", boom="read")'), Do("refresh", ok=False, says=("RuntimeError: boom on read",))]
    ),
    "secret_input": Scenario(
        [
            Do("up", 'a = Toy("a", word=Output.secret("hush"), nested={"list": [Output.secret(1), 2], "open": 1})'),
            Do("up"),
            Do("refresh", edit={"a-1": {"word": "loud"}}),
            Do("up", 'a = Toy("a", word="hush", nested={"list": [1, 2], "open": 1})'),
        ]
    ),
    "additional_secret_outputs": Scenario(
        [
            Do("up", 'a = Toy("a", amount=1, opts=ResourceOptions(additional_secret_outputs=["made", "nothing"]))\n'
               'pulumi.export("made", a.made)'),
            Do("up", 'a = Toy("a", amount=2, opts=ResourceOptions(additional_secret_outputs=["made", "nothing"]))\n'
               'pulumi.export("made", a.made)'),
            Do("refresh"),
        ]
    ),
    "unknown_amount": Scenario(
        [
            Do("up", 'a = Toy("a")\nb = Toy("b", amount=a.made.apply(len), tags=[a.made, "x"])'),
            Do("preview", 'a = Toy("a", key="zz")\nb = Toy("b", amount=a.made.apply(len), tags=[a.made, "x"])'),
            Do("up"),
        ]
    ),
    "component": Scenario(
        [
            Do("preview", BOX + 'Box("box", 1)'),
            Do("up", BOX + 'box = Box("box", 1)\npulumi.export("toy", box.toy.made)'),
            Do("up", BOX + 'box = Box("box", 2)\npulumi.export("toy", box.toy.made)'),
            Do("up", BOX),
        ]
    ),
    "outputs": Scenario(
        [
            Do("up", 'pulumi.export("a", 1)\npulumi.export("b", {"c": [1.5, None, True], "d": None})\n'
               'pulumi.export("n", None)'),
            Do("up", 'pulumi.export("a", 2)\npulumi.export("s", Output.secret({"t": 1}))'),
            Do("up", 't = Toy("t")\npulumi.export("t", t)'),
        ]
    ),
    "retained": Scenario(
        [
            Do("up", 'Toy("a", opts=ResourceOptions(retain_on_delete=True))\nToy("b")'),
            Do("up", ""),
        ],
        ordered=False,
    ),
    "deleted_with": Scenario(
        [
            Do("up", 'a = Toy("a")\nToy("b", opts=ResourceOptions(deleted_with=a))'),
            Do("up", ""),
            Do("up", 'a = Toy("a", key="1")\nToy("b", opts=ResourceOptions(deleted_with=a))'),
            Do("up", 'a = Toy("a", key="2")\nToy("b", opts=ResourceOptions(deleted_with=a))'),
            Do("destroy"),
        ]
    ),
    "settings": Scenario(
        [
            Do("up", 'c = pulumi.Config()\n'
               'Toy("a", word=c.require("greeting"), other=c.require_secret("word"), n=c.get_int("n"))'),
            Do("up"),
            Do("refresh"),
        ],
        config={"toys:greeting": "hello", "toys:n": "7", "other:key": "value"},
        secrets={"toys:word": "hush"},
    ),
    "timeouts": Scenario(
        [Do("up", 'Toy("a", opts=ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="1m30s", delete="2h")))')]
    ),
    "same_name_twice": Scenario(
        # The second depends on the first: otherwise the Pulumi CLI may stop before the first create.
        [Do("up", 'a = Toy("a")\nToy("a", ResourceOptions(depends_on=[a]))', ok=False,
            says=("Duplicate resource URN",))],
    ),
    "program_fails": Scenario(
        [
            Do("up", 'Toy("a")\nToy("b")'),
            Do("up", 'Toy("a")\nraise ValueError("not today")', ok=False,
               says=("Program failed with an unhandled exception", "ValueError: not today")),
        ],
        ordered=False,
    ),
    "remarks": Scenario(
        [
            Do("up", 'pulumi.log.warn("take care")\nprint("by the way")\nToy("a", chatty=True)',
               says=("take care", "by the way", "a speaks")),
        ]
    ),
    "killed_in_creation": Scenario(
        [
            Do("killed up", 'Toy("a", slow=True)', ok=False),
            Do("preview", 'Toy("a")'),
            Do("up", says=("pending operations",)),
            Do("refresh"),
        ]
    ),
}  # fmt: skip
