"""Who may answer for a version: the people and groups of ``approve``, and whether they can."""

from collections.abc import Iterator, Mapping

from trimtab.config.findings import Finding, near
from trimtab.config.model import Approve

Groups = Mapping[str, tuple[str, ...]]
# Names under which nobody in particular acts; whoever bears one is no approver.
UNNAMED = frozenset({"", "auto", "nobody", "airflow", "trimtab", "Anonymous"})
EYES = 2


def approvers(approve: Approve, groups: Groups) -> tuple[str, ...] | None:
    """Return everybody who is listed, each once; None when anybody with a name may answer.

    A list that comes to nobody stays a list: then nobody may. So do four eyes without a list.
    """
    if not approve.users and not approve.groups and approve.mode != "four_eyes":
        return None
    members = [name for group in approve.groups for name in groups.get(group, ())]
    return tuple(dict.fromkeys([*approve.users, *members]))


def check_approve(approve: Approve, groups: Groups) -> Iterator[Finding]:
    """Find groups that are not there, and questions that nobody could answer."""
    unknown = [i for i, name in enumerate(approve.groups) if name not in groups]
    for i in unknown:
        name = approve.groups[i]
        fix = f"{near(name, groups)}; or add it to groups in the environment's file"
        yield ("approve", "groups", i), f"the environment has no group {name!r}", fix
    for i, name in enumerate(approve.users):
        if name in UNNAMED:
            yield ("approve", "users", i), f"{name!r} is no person's name", "name a person"
    if approve.mode == "auto":
        return
    if not approve.timeout:
        yield ("approve", "timeout"), "nobody can answer in no time", "write a duration such as 3d"
    if not unknown:
        yield from _enough(approve, groups)


def _enough(approve: Approve, groups: Groups) -> Iterator[Finding]:
    people = approvers(approve, groups)
    if people is None:
        return
    needed = EYES if approve.mode == "four_eyes" else 1
    if len(people) < needed:
        who = ", ".join(people) or "nobody"
        problem = f"{approve.mode} needs at least {needed} listed people, there is {who}"
        fix = "add users or groups (three or more, for who started a run cannot say yes to it)"
        yield ("approve", "users"), problem, fix
