"""The command line: one file per group of verbs. Heavy imports happen inside a verb."""

import typer

from trimtab.cli import (
    audit,
    configuration,
    data,
    demo,
    doctor,
    dossier,
    explain,
    features,
    ingest,
    ledger,
    lineage,
    monitor,
    new,
    platform,
    quarantine,
    reconcile,
    registry,
    reproduce,
    retention,
    rollback,
    run,
    staleness,
)

app = typer.Typer(
    name="trimtab",
    help="A model's whole life from one short YAML file, inside Apache Airflow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(demo.demo)
app.command()(platform.up)
app.command()(platform.down)
app.command()(new.new)
app.command()(ingest.ingest)
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(data.data, name="data")
app.add_typer(features.features, name="features")
app.command()(lineage.lineage)
app.command()(retention.retention)
app.command()(run.run)
app.command()(run.score)
app.command()(explain.explain)
app.add_typer(monitor.app, name="monitor")
app.command()(registry.status)
app.command()(registry.approve)
app.command()(rollback.rollback)
app.command()(rollback.recalibrate)
app.command()(rollback.block)
app.command()(rollback.unblock)
app.command("as-of")(audit.as_of)
app.command()(audit.history)
app.add_typer(audit.app, name="audit")
app.add_typer(ledger.app, name="ledger")
app.command()(staleness.staleness)
app.command()(reproduce.reproduce)
app.command()(reconcile.reconcile)
app.command()(dossier.dossier)
app.command()(dossier.verify)
app.command()(doctor.doctor)
app.command()(configuration.check)
app.command()(configuration.schema)
