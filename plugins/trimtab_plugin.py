"""The one file Airflow loads by itself, in every component and every task: keep it cheap."""

from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from trimtab_airflow import listener


class _Reports:
    """The pages' application, built at its first request: only the api-server needs FastAPI."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        from trimtab_airflow.ui.reports import application

        await application()(scope, receive, send)


class _Attempts:
    """Sees every request of the api-server, and the refused answers to our forms among them."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "PATCH":
            await self.app(scope, receive, send)
            return
        from trimtab_airflow.ui.attempts import watched

        await watched(self.app, scope, receive, send)


class TrimtabPlugin(AirflowPlugin):
    """Serves and links the stages' pages, records refused answers, notes why a run trains."""

    name = "trimtab"
    fastapi_apps = [{"app": _Reports(), "url_prefix": "/trimtab", "name": "trimtab"}]
    fastapi_root_middlewares = [{"middleware": _Attempts, "name": "trimtab refused answers"}]
    listeners = [listener]
    external_views = [
        {
            "name": "Reports",
            "href": "/trimtab/reports/",
            "destination": "nav",
            "url_route": "trimtab-reports",
            "category": "browse",
        }
    ]
