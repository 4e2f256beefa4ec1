"""``trimtab ledger``: is the record what was written, and under which key?"""

from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.answer import FALSE, Answer, answering
from trimtab.cli.options import By, Config, Debug, Home, Json, open_project, os_user

if TYPE_CHECKING:
    from trimtab.types import LedgerCheck

app = typer.Typer(help="The record of everything decided.", no_args_is_help=True)


@app.command()
def verify(
    record: Annotated[
        bool, typer.Option(help="Write the result into the ledger, and anchor it.")
    ] = True,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Check every entry's hash, and every anchor that was kept elsewhere.

    Exit code 3 when the ledger is not what was written; names the first bad entry.
    """
    with answering(as_json=json, debug=debug) as answer:
        from trimtab.stages.ledger_check import check_ledger

        check = check_ledger(open_project(config, home), record=record)
        answer.document = check.to_json()
        _show(answer, check)
        if not check.ok:
            text = "the ledger is not what was written: " + "; ".join(check.problems)
            answer.refuse(text, code=FALSE, kind="IntegrityError", first_bad=check.first_bad)


@app.command()
def key(
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept in the ledger.")],
    by: By = None,
    config: Config = None,
    home: Home = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Put what is written from now on under the first key of TRIMTAB_LEDGER_KEY.

    Keep older keys behind it, with commas: what they signed is checked with them.
    """
    with answering(as_json=json, debug=debug) as answer:
        env = open_project(config, home)
        event = env.ledger.use_key(actor=by or os_user(), reason=reason)
        answer.document = {"entry": event.seq, "new": event.new, **event.payload}
        word = "is" if event.new else "was already"
        answer.say(f"from entry {event.seq} on the ledger {word} under key {event.payload['key']}")


def _show(answer: Answer, check: "LedgerCheck") -> None:
    chain = check.chain
    under = f"under key {chain.key}" if chain.key else "under no key"
    answer.say(f"{chain.entries} entries fit, {under}; head {chain.head}")
    for place, count in check.anchors.items():
        answer.say(f"{count} anchor(s) in {place}")
    if check.agreed:
        answer.say(f"an anchor vouches for everything up to entry {check.agreed}")
    for each in check.disagree:
        kept, found = each.anchor, each.found
        here = f"the ledger has {found[:12]}" if found else "the ledger has no such entry"
        answer.say(f"{kept.place}: entry {kept.seq} {kept.hash[:12]}; {here}")
    for note in check.notes:
        answer.say(f"note: {note}")
