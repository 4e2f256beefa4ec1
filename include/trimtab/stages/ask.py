"""Ask people whether a version may serve: once, with reminders, until time runs out."""

from datetime import timedelta

from trimtab.config.approvers import UNNAMED, approvers
from trimtab.environment import Environment
from trimtab.evaluation import question as page
from trimtab.ledger import approvals, versions
from trimtab.stages.report import tell_report
from trimtab.types import Approval, Question

NOBODY = "nobody"


def ask(env: Environment, model: str, version: int, *, run: str = "", where: str = "") -> Question:
    """Return the question about a version; the first time it is asked, tell who may answer.

    Asking again changes neither the people nor the deadline.

    Raises:
        NotReadyError: no training of this version has ended.
    """
    if found := approvals.question(env.ledger, model, version):
        return found
    spec, now = env.project.model(model).approve, env.clock.now()
    wanted = Question(
        model=model,
        version=version,
        mode="four_eyes" if spec.mode == "four_eyes" else "manual",
        people=approvers(spec, env.project.environment.groups),
        starters=starters(env, model, version),
        asked=now,
        until=now + spec.timeout,
        run=run,
        where=where,
    )
    event = env.ledger.append(
        approvals.ASKED, model, str(version), wanted.to_json(), actor=env.actor
    )
    stands = Question.model_validate(event.payload)
    if event.new:
        tell_report(env, model, version)
        _tell(env, stands, f"{model} version {version} passed the gate and waits for an answer")
    return stands


def starters(env: Environment, model: str, version: int) -> tuple[str, ...]:
    """Name the people who may not say yes: who started this, or asked for the training."""
    candidate = versions.candidate(env.ledger, model, version)
    named = dict.fromkeys([*approvals.starters(env.ledger, candidate), env.actor])
    return tuple(name for name in named if name not in UNNAMED)


def remind(env: Environment, question: Question) -> bool:
    """Tell people again when ``approve.remind`` has passed, once each time; whether it was."""
    every, now = env.project.model(question.model).approve.remind, env.clock.now()
    count = (now - question.asked) // every if every else 0
    if not count or now >= question.until:
        return False
    key, told = f"{question.version}:{count}", {"version": question.version, "count": count}
    event = env.ledger.append(approvals.REMINDED, question.model, key, told)
    if event.new:
        _tell(env, question, f"{question.model} version {question.version} still waits")
    return event.new


def expire(env: Environment, question: Question) -> Approval | None:
    """Turn a question whose time is over into a no; return the answer that stands, if any."""
    model, version = question.model, question.version
    found = versions.approval(env.ledger, model, version)
    if found or env.clock.now() < question.until:
        return found
    first = approvals.first_yes(env.ledger, model, version)
    who = f"only {first.actor}" if first else NOBODY
    reason = f"{who} answered by {question.until:%Y-%m-%d %H:%M} UTC"
    env.ledger.append(approvals.EXPIRED, model, str(version), {"version": version, "why": reason})
    no = Approval(model=model, version=version, approved=False, actor=NOBODY, reason=reason)
    event = approvals.decide(env.ledger, no)
    if event.new:
        tell_report(env, model, version)
        env.notifier.send("warning", f"{model} version {version} is rejected", reason)
    return Approval.model_validate(event.payload)


def left(env: Environment, question: Question) -> tuple[str, ...]:
    """Name the listed people whose yes would still count."""
    first = approvals.first_yes(env.ledger, question.model, question.version)
    return tuple(name for name in question.asked_for if first is None or name != first.actor)


def next_look(env: Environment, question: Question) -> timedelta:
    """Return how long nothing has to be done: until the next reminder, or the deadline."""
    every, now = env.project.model(question.model).approve.remind, env.clock.now()
    then = question.until
    if every:
        then = min(then, question.asked + ((now - question.asked) // every + 1) * every)
    return max(then - now, timedelta(seconds=1))


def form(env: Environment, question: Question, report: str) -> str:
    """Return what a person has to know to answer, as Markdown; ``report`` is a page's address."""
    model, version = question.model, question.version
    first = approvals.first_yes(env.ledger, model, version)
    return page.markdown(
        env.project.model(model),
        question,
        versions.newest_verdict(env.ledger, model, version),
        report=report,
        people=left(env, question),
        first=(first.actor, str(first.payload["reason"])) if first else None,
    )


def _tell(env: Environment, question: Question, title: str) -> None:
    verdict = versions.newest_verdict(env.ledger, question.model, question.version)
    to = left(env, question)
    people = "any named person" if question.people is None else ", ".join(to)
    facts = [
        f"Gate: {verdict.verdict}. {' '.join(verdict.reasons)}" if verdict else "",
        f"May answer: {people or NOBODY}.",
        f"No answer by {question.until:%Y-%m-%d %H:%M} UTC is a no.",
        question.where,
    ]
    env.notifier.send("info", title, " ".join(filter(None, facts)), to=to)
