"""The description of all APIs is true: schemathesis asks whatever it allows, and some more.

Nothing breaks, and no answer has a status, a type of content or a shape that is not described.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from firmware_tests import soak
from firmware_tests.cloud.realm import write
from firmware_tests.cloud.world import Client, World
from host_sim.cloud.domain import devices, phones, sharing
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.web.limits import Limit

EXAMPLES = soak.count(300, 5)  # of each operation
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


class Known(World):
    """A world with Anna, and the ids of her things by the names of parameters."""

    anna: Client
    ids: dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def world(databases, tmp_path_factory):
    """Anna with a device, a phone and two shares."""
    with databases.copy() as url, (world := Known(url, tmp_path_factory.mktemp("schema"))):
        world.service.limits.person = Limit(10**9)
        world.service.limits.client = Limit(10**9)
        world.anna = world.person("anna@example.org")
        with world.transaction() as context:
            anna = world.who(context, world.anna)
            public = PrivateKey.from_scalar(7).public
            phones.add(context, anna, "phone", public.x + public.y)
            device = devices.create(context, anna, "Front door", "UTC0")
            for guest in ("bob@example.org", "cy@example.org"):
                share = sharing.create(context, anna, device, guest, write(uses=3))
            things = {
                ("device_id", "lock_id", "deviceId", "sdid", "ddid"): (device.id, device.uid),
                ("share_id", "access_id"): (share.id, share.uid),
                ("user_id", "userId", "uid"): (anna.id, anna.uid),
                ("orgId",): (device.organisation_id, ""),
            }
            world.ids = {name: ids for named, ids in things.items() for name in named}
        yield world


def _operations(world):
    schema = schemathesis.openapi.from_asgi("/openapi.json", world.app)
    return [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]


def test_every_answer_is_as_described(world):
    broken: list[str] = []
    asked: set[tuple[str, bool]] = set()
    operations = _operations(world)
    for operation in operations:
        try:
            _ask(world, operation, asked)
        except BaseExceptionGroup as error:
            broken.append(f"{operation.label}: {error.exceptions}")
    assert not broken, "\n\n".join(broken)
    # Enough of it gets further than the door.
    assert sum(went_well for _, went_well in asked) > len(operations) // 4


def _name_what_there_is(world, case):
    """Put the ids of Anna's things into a request, in the form that the API has them in."""
    for place in (case.path_parameters, case.query):
        for name in set(place or ()) & set(world.ids):
            number, uid = world.ids[name]
            place[name] = number if isinstance(place[name], int) else uid
    if "version" in (case.path_parameters or ()):
        case.path_parameters["version"] = "v37" if "access" in case.path else "v1.32"


def _ask(world, operation, asked):
    # Whoever logs out is nobody afterwards.
    logs_out = operation.label == "POST /account/log-out"
    headers = {} if logs_out else {"Authorization": f"Bearer {world.anna.token}"}

    @settings(
        max_examples=EXAMPLES,
        phases=(Phase.generate,),
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), real=st.integers(0, 3))
    def ask(case, real):
        if real:
            _name_what_there_is(world, case)
        answer = case.call(headers=headers)
        asked.add((operation.label, answer.status_code < 300))
        case.validate_response(answer, checks=CHECKS)

    ask()
