"""Take the pictures of README and docs from a running platform, in headless Chromium.

uv run python docs/screenshots.py --home .trimtab
"""

import argparse
import json
import re
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def graph(page: Page, airflow: str, dag: str) -> None:
    """The graph of the newest run of ``dag`` that came to its end, as a person sees it."""
    query = f"api/v2/dags/{dag}/dagRuns/~/taskInstances?task_id=promote&state=success&limit=100"
    with urllib.request.urlopen(f"{airflow}/{query}") as reply:  # noqa: S310 our own page
        run = max(json.load(reply)["task_instances"], key=lambda ti: ti["start_date"])["dag_run_id"]
    page.goto(f"{airflow}/dags/{dag}/runs/{run}", wait_until="domcontentloaded")
    page.get_by_label(re.compile("Show Graph")).first.click()
    page.wait_for_selector(".react-flow__node")
    page.wait_for_timeout(2500)
    page.screenshot(path=IMAGES / "airflow_graph.png")


def report(page: Page, reports: Path) -> None:
    """The first screen of the newest gate report of flight_delay."""
    newest = max(reports.glob("models/flight_delay/v*/gate.html"), key=lambda f: f.stat().st_mtime)
    page.goto(newest.resolve().as_uri())
    page.screenshot(path=IMAGES / "gate_report.png")


def monitoring(page: Page, reports: Path) -> None:
    """The first screens of the newest window of a model that has an alarm, else of any."""
    windows = [file.parent for file in reports.glob("models/*/monitor/*/observation.json")]
    newest = max(windows, key=lambda folder: (_alarms(folder), folder.stat().st_mtime))
    page.set_viewport_size({"width": 1100, "height": 1450})
    page.goto((newest / "index.html").resolve().as_uri())
    page.screenshot(path=IMAGES / "monitoring.png")


def _alarms(window: Path) -> bool:
    return bool(json.loads((window / "observation.json").read_text())["alarm"])


def main() -> None:
    """Write the pictures to docs/images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(".trimtab"))
    parser.add_argument("--dag", default="flight_delay.train")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    options = parser.parse_args()
    state = json.loads((options.home / "platform.json").read_text())
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        graph(page, state["urls"]["airflow"], options.dag)
        report(page, options.home / "lake" / "reports")
        monitoring(page, options.home / "lake" / "reports")
        browser.close()


if __name__ == "__main__":
    main()
