"""Two more shapes of data: tickets (classes from text and many customers), visits (grouped)."""

from typing import Any

import numpy as np
import polars as pl

FILES = {
    "datasets/tickets.yaml": """
dataset: tickets
owner: me
source: {kind: files, uri: landing/tickets}
key: [ticket]
columns:
  ticket: {type: int}
  subject: {type: text, nullable: true}
  customer: {type: category, nullable: true}
  channel: {type: category}
  waited: {type: float, nullable: true, unit: hour}
  team: {type: category}
""",
    "datasets/visits.yaml": """
dataset: visits
owner: me
source: {kind: files, uri: landing/visits}
key: [patient, visit]
columns:
  patient: {type: category}
  visit: {type: int}
  age: {type: int}
  dose: {type: float, nullable: true, unit: milligram}
  clinic: {type: category}
  minutes: {type: float, description: how long the visit took; longer ones measure better}
  pressure: {type: float, nullable: true}
""",
    "models/team.yaml": """
model: team
purpose: Say which team a ticket belongs to before anybody has read it.
owner: me
data: {from: tickets}
target: {column: team}
features: {include: [subject, customer, channel, waited]}
train: {min_rows: 50, candidates: [linear, boosted_trees], tune: {trials: 2, sample: 500}}
gate: {min_rows: 20}
""",
    "models/pressure.yaml": """
model: pressure
purpose: Say the blood pressure at a visit of a patient who was never seen before.
owner: me
data: {from: visits}
target: {column: pressure}
features: {exclude: [visit]}
split: {by: group, group: patient}
train:
  {min_rows: 50, weight: minutes, candidates: [linear, boosted_trees], tune: {trials: 2, sample: 500}}
gate: {min_rows: 20}
""",
}

TEAMS = ("billing", "network", "returns")
CUSTOMERS, PATIENTS = 300, 60
_WORDS = {
    "billing": ("invoice", "charged twice", "refund missing", "wrong amount"),
    "network": ("no connection", "slow line", "router blinks", "outage since morning"),
    "returns": ("send it back", "wrong size", "parcel broken", "label for return"),
}
_SMALL_TALK = ("please help", "hello", "urgent", "third time", "thanks", "since yesterday")


def tickets(n: int = 600, *, first: int = 0) -> pl.DataFrame:
    """Tickets of 300 customers; the words decide most of them, the customer some of the rest."""
    rng = np.random.default_rng(first + 11)
    usual = np.random.default_rng(3).choice(TEAMS, CUSTOMERS)  # of each customer
    customer = rng.integers(0, CUSTOMERS, n)
    team = np.where(rng.random(n) < 0.7, usual[customer], rng.choice(TEAMS, n))
    wait = {"billing": 8.0, "network": 1.0, "returns": 20.0}
    return pl.DataFrame(
        {
            "ticket": np.arange(first, first + n),
            "subject": [_subject(rng, str(t)) if i % 13 else None for i, t in enumerate(team)],
            "customer": [f"C{c:03d}" if i % 19 else None for i, c in enumerate(customer)],
            "channel": rng.choice(["mail", "phone", "chat"], n),
            "waited": [
                None if i % 11 == 0 else float(rng.gamma(2.0, wait[str(t)]))
                for i, t in enumerate(team)
            ],
            "team": team,
        }
    )


def _subject(rng: np.random.Generator, team: str) -> str:
    about = _WORDS[team] if rng.random() < 0.75 else _WORDS[str(rng.choice(TEAMS))]
    return f"{rng.choice(_SMALL_TALK)} {rng.choice(about)} {rng.choice(_SMALL_TALK)}"


def visits(patients: int = PATIENTS, *, first: int = 0) -> pl.DataFrame:
    """Four to twelve visits of each patient, whose own level outweighs age and dose."""
    rng = np.random.default_rng(first + 23)
    rows = []
    for patient in range(first, first + patients):
        level, age, clinic = rng.normal(0, 9), int(rng.integers(20, 90)), rng.choice(["A", "B"])
        for visit in range(int(rng.integers(4, 13))):
            dose, minutes = float(rng.uniform(0, 10)), float(rng.uniform(5, 45))
            pressure = 100 + 0.5 * age - 2 * dose + level + rng.normal(0, 60 / minutes)
            rows.append((f"P{patient:03d}", visit, age, dose, clinic, minutes, pressure))
    names = ["patient", "visit", "age", "dose", "clinic", "minutes", "pressure"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(
        dose=pl.when(pl.col("visit") == 2).then(None).otherwise(pl.col("dose")),
        pressure=pl.when(pl.col("visit") == 7).then(None).otherwise(pl.col("pressure")),
    )


def publish_all(env: Any, publish: Any) -> None:
    publish(env, "tickets", tickets(), "tickets_1.csv")
    publish(env, "visits", visits(), "visits_1.csv")
