"""Every endpoint of every API, from its description: nobody gets in, and nothing leaks."""

import json
import re
import uuid
from urllib.parse import quote

import pytest

from firmware_tests.cloud.realm import write
from firmware_tests.cloud.world import Client, World
from host_sim.cloud.domain import devices, organisations, phones, sharing
from host_sim.cloud.domain.model import Share
from host_sim.cloud.keys import PrivateKey
from host_sim.cloud.web.limits import Limit

ODD = (
    "' OR '1'='1",
    "1; DROP TABLE shares; --",
    "x\r\nX-Evil: 1",
    "\u202egnp.exe",
    "\U0001f600" * 300,
    "\u0000",
    "../../etc/passwd",
    "%s%s%n",
    "{{7*7}}",
    "9" * 400,
    "-1",
    "1e999",
    "null",
)
# What no answer ever says: how it is made inside.
LEAKS = re.compile(
    r"traceback|sqlalchemy|psycopg|sqlite|select |insert into|/host_sim/|argon2|token_digest",
    re.IGNORECASE,
)


class Known(World):
    """A world with Anna, a stranger, and the ids of Anna's things."""

    anna: Client
    eve: Client
    ids: dict[str, tuple[int, str]]


@pytest.fixture(scope="module")
def world(databases, tmp_path_factory):
    """Anna with one of everything, and a stranger."""
    with databases.copy() as url, (world := Known(url, tmp_path_factory.mktemp("security"))):
        world.service.limits.person = Limit(10**9)
        world.service.limits.client = Limit(10**9)
        world.anna, world.eve = world.person("anna@example.org"), world.person("eve@example.org")
        with world.transaction() as context:
            anna = world.who(context, world.anna)
            public = PrivateKey.from_scalar(7).public
            key = phones.add(context, anna, "phone", public.x + public.y)
            device = devices.create(context, anna, "Front door", "UTC0")
            share = sharing.create(context, anna, device, "bob@example.org", write())
            world.ids = {
                "device": (device.id, device.uid),
                "share": (share.id, share.uid),
                "user": (anna.id, anna.uid),
                "phone": (key.id, key.uid),
                "org": (organisations.home(context, anna).id, ""),
            }
        yield world


NAMES = {
    "device_id": "device", "lock_id": "device", "deviceId": "device", "sdid": "device",
    "sdids": "device", "ddid": "device", "share_id": "share", "access_id": "share",
    "user_id": "user", "userId": "user", "phone_id": "phone", "mobile_id": "phone",
    "mobileId": "phone", "phone": "phone", "orgId": "org",
}  # fmt: skip
FIXED = {
    "action": "unlock", "roleId": "1", "query": "a", "operation_id": "0" * 32, "uid": "0" * 32,
    "ownerEmail": "anna@example.org", "userEmail": "anna@example.org", "after": "0",
}  # fmt: skip


def operations(world):
    """(method, path, its parameters, whether it is for everybody) of all endpoints."""
    for path, methods in world.app.openapi()["paths"].items():
        for method, described in methods.items():
            parameters = described.get("parameters", [])
            yield method.upper(), path, parameters, not described.get("security")


def call(client, method, path, parameters, value, **options):
    """Ask with a value for each parameter that `value(parameter)` has one for."""
    query = {}
    if "/access" in path:
        path = path.replace("{version}", "v37")
    for parameter in parameters:
        given = value(parameter)
        if given is None:
            continue
        if parameter["in"] == "path":
            path = path.replace("{%s}" % parameter["name"], quote(given, safe=""))
        else:
            query[parameter["name"]] = given
    if method in ("POST", "PUT", "PATCH"):
        options.setdefault("json", {})
    return client.request(method, path, params=query, **options)


def usual(world, parameter, other=False):
    """A value that fits: of Anna's things, or ids of nothing if `other`."""
    name, schema = parameter["name"], parameter["schema"]
    if name == "version":
        return "v1.32" if parameter["in"] == "path" else "0"
    if name not in NAMES:
        return FIXED.get(name)
    number, uid = world.ids[NAMES[name]]
    kinds = {schema.get("type")} | {each.get("type") for each in schema.get("anyOf", ())}
    if "integer" in kinds:
        return str(number + 7_000_000 if other else number)
    return uuid.UUID(int=1).hex if other else uid


def test_nobody_gets_in_without_a_token(world):
    asked = 0
    for method, path, parameters, is_open in operations(world):
        if is_open:
            continue
        asked += 1
        value = lambda parameter: usual(world, parameter)  # noqa: E731
        for headers in (
            {},
            {"Authorization": "Bearer " + "x" * 43},
            {"Authorization": f"PersonalKey {world.anna.token}"},
            {"Authorization": f"Basic {world.anna.token}"},
            {"Authorization": "Bearer"},
        ):
            answer = call(world.http, method, path, parameters, value, headers=headers)
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
            assert in_style(path, answer), (method, path, answer.text)
            assert not LEAKS.search(answer.text)
    assert asked > 80


def test_a_key_without_the_scope_does_nothing(world):
    made = world.anna.post("/account/keys", json={"name": "log", "scopes": ["Log.Read"]})
    headers = {"Authorization": f"PersonalKey {made.json()['token']}"}
    for method, path, parameters, is_open in operations(world):
        if is_open or "audit" in path:
            continue
        value = lambda parameter: usual(world, parameter)  # noqa: E731
        answer = call(world.http, method, path, parameters, value, headers=headers)
        # Of a body that makes no sense one may hear first; nothing was looked up for it.
        no = 401 if path.startswith("/locks/") else 403
        assert answer.status_code in (400, no, 415), (method, path, answer.text)
        assert in_style(path, answer)


def test_strangers_cannot_tell_what_there_is_from_what_there_is_not(world):
    compared = 0
    for method, path, parameters, is_open in operations(world):
        if is_open or not any(parameter["name"] in NAMES for parameter in parameters):
            continue
        theirs = call(world.eve, method, path, parameters, lambda p: usual(world, p))
        nothing = call(world.eve, method, path, parameters, lambda p: usual(world, p, other=True))
        assert theirs.status_code == nothing.status_code, (method, path, theirs.text)
        assert without_ids(theirs.text) == without_ids(nothing.text), (method, path)
        if method == "GET" and "path" in {parameter["in"] for parameter in parameters}:
            compared += theirs.status_code in (403, 404)
        assert "anna" not in theirs.text.lower(), (method, path, theirs.text)
        assert world.ids["share"][1] not in theirs.text
    assert compared > 15


def test_odd_values_break_nothing(world):
    for method, path, parameters, _ in operations(world):
        named = [parameter["name"] for parameter in parameters]
        for name in named:
            for odd in ODD:
                value = lambda p, name=name, odd=odd: (  # noqa: E731
                    odd if p["name"] == name else usual(world, p)
                )
                if method == "DELETE" and name not in NAMES:
                    continue
                answer = call(world.eve, method, path, parameters, value)
                check(method, path, answer)


def test_odd_bodies_break_nothing(world):
    for method, path, parameters, _ in operations(world):
        if method not in ("POST", "PUT", "PATCH") or path == "/account/log-out":
            continue
        value = lambda p: usual(world, p)  # noqa: E731
        for body in ("", "{", "[]", "null", '"x"', "[" * 2_000, '{"a":' * 500, "\ud800"):
            headers = {"Content-Type": "application/json"}
            content = body.encode("utf-8", "surrogatepass")
            answer = call(
                world.eve, method, path, parameters, value, json=None, content=content,
                headers=headers,
            )  # fmt: skip
            check(method, path, answer)
            assert content == b"" or answer.status_code >= 400 or "{" not in body


def test_odd_texts_break_nothing_in_any_field(world):
    """Each field that takes text, of each body that is described, once with each of them."""
    fields = 0
    for method, path, parameters, _ in operations(world):
        body = body_of(world, path, method.lower())
        if body is None or path == "/account/log-out":
            continue
        value = lambda p: usual(world, p)  # noqa: E731
        for place in texts(body):
            fields += 1
            for odd in (*ODD, "\ud800", "x\udfffy", "x" * 100_000):
                content = json.dumps(replaced(body, place, odd))  # halves of characters escaped
                answer = call(
                    world.anna, method, path, parameters, value, json=None, content=content,
                    headers={"Content-Type": "application/json"},
                )  # fmt: skip
                check(method, path, answer)
                kept = answer.status_code < 300 and len(place) == 1
                assert not (kept and unkeepable(odd)), (method, path, place, odd[:20])
    assert fields > 60
    # What was injected did nothing.
    assert world.anna.get("/account").json()["name"] == "Anna"
    with world.transaction() as context:
        assert context.session.get_one(Share, world.ids["share"][0]).email == "bob@example.org"


def unkeepable(text):
    """Whether a text has what nothing may have: NUL, half a character, or too much."""
    return "\0" in text or bool(re.search("[\ud800-\udfff]", text)) or len(text) > 5_000


def body_of(world, path, method):
    """A body that fits the description, with every field; None if there is none in JSON."""
    schema = world.app.openapi()
    described = schema["paths"][path][method].get("requestBody", {}).get("content", {})
    for kind, content in described.items():
        if kind.startswith("application/json"):
            return sample(world, schema, content["schema"], path)
    return None


def sample(world, whole, schema, name):
    """A value that fits a schema: of Anna's things where a field is named after them."""
    if "$ref" in schema:
        found = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return sample(world, whole, found, name)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    for several in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(several, ()):
            if each.get("type") != "null":
                return sample(world, whole, each, name)
    kind = schema.get("type", "object")
    if kind == "object":
        return {
            each: sample(world, whole, inner, each)
            for each, inner in schema.get("properties", {}).items()
        }
    if kind == "array":
        return [sample(world, whole, schema.get("items", {}), name)]
    named = usual(world, {"name": name, "schema": schema})
    if kind == "string":
        return named or ("x@example.org" if "mail" in name.lower() else "x")
    return int(named or 1) if kind in ("integer", "number") else False


def texts(value, place=()):
    """Where in a body there is text."""
    if isinstance(value, str):
        yield place
    elif isinstance(value, dict | list):
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(each, (*place, name))


def replaced(value, place, text):
    """A copy of a body with another text in one place."""
    if not place:
        return text
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], text)
    return copy


def check(method, path, answer):
    what = (method, path, answer.status_code, answer.text[:300])
    assert answer.status_code < 500, what
    assert "X-Evil" not in answer.headers, what
    assert not LEAKS.search(answer.text) or "/metrics" in path, what
    if answer.status_code >= 400:
        assert in_style(answer.request.url.path, answer), what


def in_style(path, answer):
    """Whether an error looks as those of its API do."""
    low = path.lower()
    body = json.loads(answer.text)
    if low.startswith("/api/v1/organization"):
        return set(body) == {"error"} and set(body["error"]) == {"message"}
    if low.startswith("/v1.1"):
        return body["error"]["code"] == answer.status_code and body["error"]["message"]
    if low.startswith(("/api/native", "/account", "/healthz", "/metrics")):
        problem = answer.headers["Content-Type"] == "application/problem+json"
        return problem and body["status"] == answer.status_code
    if low.startswith("/api/"):
        # A path with something odd in it may be none of this API's.
        problem = answer.headers["Content-Type"] == "application/problem+json"
        return problem or body["success"] is False and body["statusCode"] == answer.status_code
    return True


def without_ids(text):
    return re.sub(r"[0-9a-f]{8}-?[0-9a-f-]{23,27}|\d+", "#", text)
