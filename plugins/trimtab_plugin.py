"""The one file Airflow loads by itself, in every component and every task: keep it cheap."""

from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin


class _Reports:
    """The pages' application, built at its first request: only the api-server needs FastAPI."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from trimtab_airflow.ui.reports import application

        await application()(scope, receive, send)


class TrimtabPlugin(AirflowPlugin):
    """Serves the pages the stages write, and puts a link to them into the navigation."""

    name = "trimtab"
    fastapi_apps = [{"app": _Reports(), "url_prefix": "/trimtab", "name": "trimtab"}]
    external_views = [
        {
            "name": "Reports",
            "href": "/trimtab/reports/",
            "destination": "nav",
            "url_route": "trimtab-reports",
            "category": "browse",
        }
    ]
