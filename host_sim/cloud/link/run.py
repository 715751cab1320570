"""Puts the link together: a broker, unless there is one, and the service at it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from secrets import token_urlsafe

from ..domain import credentials
from ..web.service import Service
from . import topics
from .broker import Embedded
from .bus import Bus

_EVERYWHERE = ("", "0.0.0.0", "::")


@contextmanager
def linked(service: Service, host: str, make_bus: Callable[..., Bus] = Bus) -> Iterator[str]:
    """Serve the locks, with a broker on `host` if there is no other; where they find it.

    Raises OSError and BusError.
    """
    config = service.config
    broker: Embedded | nullcontext[None] = nullcontext()
    url = config.broker
    if not url:
        broker, url = _own(service, host)
    with broker as embedded:
        if embedded is not None:
            service.config = replace(config, mqtt_port=embedded.port)
            url = f"{url}:{embedded.port}"
        with make_bus(url, service.certificates.authority, service.transaction) as bus:
            service.news_for = bus.news_for
            yield service.config.broker_url


def _own(service: Service, host: str) -> tuple[Embedded, str]:
    """A broker in this process, and how the service gets in."""
    near = "localhost" if host in _EVERYWHERE else host
    password = token_urlsafe(32)
    names = dict.fromkeys((service.config.host, "localhost", "127.0.0.1", near))
    service.certificates.issue(list(names), service.clock())

    def admit(name: str, shown: str) -> bool:
        if name == topics.CLOUD:
            return shown == password
        with service.transaction() as context:
            return credentials.shown(context, name, shown) is not None

    port = service.config.mqtt_port
    there = f"[{near}]" if ":" in near else near
    url = f"mqtts://{topics.CLOUD}:{password}@{there}"
    return Embedded(host, port, service.certificates, admit), url
