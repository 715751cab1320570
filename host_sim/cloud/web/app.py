"""The application: all APIs, one service."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from sqlalchemy import Engine, text

from host_sim.web import phone

from ..config import Config
from . import (
    accounts,
    artik,
    artik_messages,
    blynk,
    blynk_devices,
    blynk_people,
    locks,
    native,
    native_shares,
    pages,
    tedee,
    tedee_access,
    tedee_locks,
    tedee_phones,
    tedee_shares,
)
from .front import Front
from .problems import Problem, Style, Styles, install, problems
from .service import Clock, Service

ROUTERS = (
    accounts.router,
    tedee_shares.router,
    tedee_locks.router,
    tedee_phones.router,
    tedee_access.router,
    blynk_people.router,
    blynk_devices.router,
    artik.router,
    artik_messages.router,
    native.router,
    native.open_router,
    native_shares.router,
    locks.router,
    pages.router,
)
STYLES: tuple[Style, ...] = (*tedee.STYLES, blynk.STYLE, artik.STYLE)  # the native one comes last


class Health(BaseModel):
    """That the service works, and its database too."""

    status: str = "ok"


def create_app(config: Config, engine: Engine, clock: Clock) -> FastAPI:
    """The application, over a database that is up to date. `clock` gives Unix seconds.

    Raises MailError and KeyFileError.
    """
    app = FastAPI(
        title="Sharelock cloud",
        version=version("sharelock"),
        docs_url=None,
        redoc_url=None,
    )
    service = app.state.service = Service(config, engine, clock)
    styles = Styles(*STYLES)
    app.add_middleware(Front, service=service, styles=styles)
    install(app, styles)
    for router in ROUTERS:
        # `include_router` would build each route a second time, for every application.
        app.router.routes.extend(router.routes)
    app.mount("/phone", phone.app)
    _add_probes(app, service)
    _tell_true(app)
    return app


def _add_probes(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["operation"], responses=problems())
    def health() -> Health:
        """Whether the service and its database work."""
        with service.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        return Health()

    @app.get("/metrics", tags=["operation"], responses=problems(), response_class=Response)
    def metrics() -> Response:
        """What Prometheus reads."""
        service.metrics.waiting.set(service.waiting_mails())
        body = generate_latest(service.metrics.registry)
        return Response(body, media_type=CONTENT_TYPE_LATEST)


def _tell_true(app: FastAPI) -> None:
    """Describe errors as they are: FastAPI's own answer to a bad request is never given."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = describe()
            for path in schema["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
            schemas = schema["components"]["schemas"]
            for name in ("HTTPValidationError", "ValidationError"):
                schemas.pop(name, None)
            told = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= told.pop("$defs")
            schemas["Problem"] = told
        return app.openapi_schema or {}

    app.openapi = openapi  # type: ignore[method-assign]
