import json

import attrs
import pytest

from livebridge import wire
from livebridge.simulator import TEST_ACCESS_TOKEN, TEST_API_KEY
from livebridge.simulator._ephemeral import EphemeralTokens, TokenRequestError, locked, snake, timestamp
from livebridge.simulator._gate import Admission, HttpRequest, HttpResponse, admit
from livebridge.simulator._refusals import RefusedError
from livebridge.simulator._rest import answer
from livebridge.simulator._settings import Settings

GEMINI = "/ws/google.ai.generativelanguage.{}.GenerativeService.BidiGenerateContent"
VERTEX = "/ws/google.cloud.aiplatform.{}.LlmBidiService/BidiGenerateContent"
KEY = {"x-goog-api-key": TEST_API_KEY}
BEARER = {"authorization": f"Bearer {TEST_ACCESS_TOKEN}"}
TOKEN = {"authorization": "Token auth_tokens/x"}
NOW = 1_700_000_000.0


def request(target, headers=KEY, method="GET", body=b""):
    return HttpRequest(method=method, target=target, headers=headers, body=body)


def knock(target, headers=KEY):
    return admit(request(target, headers), Settings())


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_every_gemini_path_is_open_with_a_key(slash, version):
    path = slash + GEMINI.format(version)
    assert knock(path) == Admission(vertex=False, version=version)
    assert knock(f"{path}?key={TEST_API_KEY}", {}) == Admission(vertex=False, version=version)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("headers", [BEARER, KEY])
def test_every_vertex_path_is_open_with_a_bearer_token_or_an_express_key(slash, version, headers):
    assert knock(slash + VERTEX.format(version), headers) == Admission(vertex=True, version=version)


def test_a_wrong_gemini_key_is_told_after_the_upgrade():
    admission = knock(GEMINI.format("v1"), {"x-goog-api-key": "wrong"})
    with pytest.raises(RefusedError, match="API key not valid"):
        admission.constrain(EphemeralTokens(), wire.Setup(), wall_clock=NOW)


@pytest.mark.parametrize(
    ("target", "headers", "status"),
    [
        (GEMINI.format("v1"), {}, 403),
        (GEMINI.format("v1") + "Constrained", KEY, 403),
        (GEMINI.format("v1") + "Constrained", TOKEN, 401),
        (GEMINI.format("v1alpha"), TOKEN, 401),
        (GEMINI.format("v2"), KEY, 404),
        (VERTEX.format("v1"), {}, 401),
        (VERTEX.format("v1"), {"authorization": "Bearer wrong"}, 401),
        (VERTEX.format("v1beta"), BEARER, 404),
        ("/ws/elsewhere", KEY, 404),
    ],
)
def test_other_callers_are_refused_with_a_status_and_googles_json(target, headers, status):
    refusal = knock(target, headers)
    assert isinstance(refusal, HttpResponse)
    assert refusal.status == status
    error = json.loads(refusal.body)["error"]
    assert error["code"] == status
    assert error["status"] in {"UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND"}
    assert "wrong" not in error["message"]


@pytest.mark.parametrize("headers", [TOKEN, {}])
def test_an_ephemeral_token_is_taken_from_the_header_or_the_query(headers):
    target = GEMINI.format("v1alpha") + "Constrained"
    admission = knock(target if headers else f"{target}?access_token=auth_tokens/x", headers)
    assert admission.token == "auth_tokens/x"
    assert "auth_tokens" not in repr(admission)


@pytest.fixture
def tokens():
    return EphemeralTokens()


def create(tokens, now=NOW, **body):
    return tokens.create(body, now=now, make_name=lambda: "secret")


def test_a_token_has_the_documented_defaults(tokens):
    token = create(tokens)
    assert (token.name, token.uses) == ("auth_tokens/secret", 1)
    assert (token.expires_at, token.new_session_expires_at) == (NOW + 1800, NOW + 60)
    assert "secret" not in repr(token)


def test_a_token_is_good_for_its_uses_and_a_resume_is_none(tokens):
    token = create(tokens, uses=1)
    setup = wire.Setup(model="m")
    resumed = wire.Setup(model="m", session_resumption=wire.SessionResumptionConfig(handle="h"))
    assert tokens.use(token.name, setup, now=NOW) == setup
    assert tokens.use(token.name, resumed, now=NOW + 100) == resumed
    with pytest.raises(RefusedError, match="1011 The service is currently unavailable"):
        tokens.use(token.name, setup, now=NOW)
    with pytest.raises(RefusedError, match="API key expired"):
        tokens.use(token.name, setup, now=NOW + 60)
    with pytest.raises(RefusedError, match="API key expired"):
        tokens.use(token.name, resumed, now=NOW + 1800)
    with pytest.raises(RefusedError, match="API key expired"):
        tokens.use("auth_tokens/other", setup, now=NOW)


def test_zero_uses_are_any_number(tokens):
    token = create(tokens, uses=0)
    for _ in range(5):
        tokens.use(token.name, wire.Setup(), now=NOW)
    assert token.used == 5


def test_an_admission_spends_its_token(tokens):
    create(tokens, bidiGenerateContentSetup={"model": "models/locked"})
    admission = Admission(vertex=False, version="v1alpha", token="auth_tokens/secret")
    setup = admission.constrain(tokens, wire.Setup(model="models/wanted"), wall_clock=NOW)
    assert setup.model == "models/locked"
    plain = Admission(vertex=False, version="v1")
    assert plain.constrain(tokens, wire.Setup(model="m"), wall_clock=NOW).model == "m"


def test_expiry_times_are_rfc_3339_and_less_than_20_hours_away(tokens):
    token = create(tokens, expireTime=timestamp(NOW + 600), newSessionExpireTime="2023-11-14T22:13:30")
    assert (token.expires_at, token.new_session_expires_at) == (NOW + 600, NOW + 10)
    assert timestamp(NOW) == "2023-11-14T22:13:20Z"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"expireTime": timestamp(NOW + 80_000)}, "less than 20 hours"),
        ({"expireTime": "soon"}, "RFC 3339"),
        ({"uses": -1}, "uses must be"),
        ({"uses": "many"}, "uses must be"),
        ({"bidiGenerateContentSetup": []}, "must be an object"),
        ({"liveConnectConstraints": {}}, 'Unknown name "liveConnectConstraints"'),
    ],
)
def test_a_token_that_cannot_be_made_says_why(tokens, body, message):
    with pytest.raises(TokenRequestError, match=message):
        create(tokens, **body)


def test_the_body_of_a_token_request_is_an_object(tokens):
    with pytest.raises(TokenRequestError, match="JSON object"):
        tokens.create([], now=NOW, make_name=str)


def test_constraints_nested_too_deeply_are_refused(tokens):
    schema = {}
    for _ in range(5000):
        schema = {"items": schema}
    setup = {"tools": [{"functionDeclarations": [{"name": "f", "parameters": schema}]}]}
    with pytest.raises(TokenRequestError):
        create(tokens, bidiGenerateContentSetup=setup)


CONSTRAINTS = {
    "model": "models/locked",
    "generationConfig": {"temperature": 0.5, "topP": 0.1},
    "sessionResumption": {},
    "systemInstruction": {"parts": [{"text": "Be kind."}]},
}
WANTED = wire.Setup(
    model="models/wanted",
    generation_config=wire.GenerationConfig(temperature=1.0, seed=7),
    session_resumption=wire.SessionResumptionConfig(handle="h"),
)


def test_without_a_mask_everything_is_locked_but_the_handle(tokens):
    setup = locked(WANTED, create(tokens, bidiGenerateContentSetup=CONSTRAINTS))
    assert setup.model == "models/locked"
    assert setup.generation_config == wire.GenerationConfig(temperature=0.5, top_p=0.1)
    assert setup.session_resumption.handle == "h"
    setup = locked(wire.Setup(), create(tokens, bidiGenerateContentSetup=CONSTRAINTS))
    assert setup.session_resumption == wire.SessionResumptionConfig()


def test_with_a_mask_only_its_fields_are_locked(tokens):
    locks = ("model", "generationConfig.temperature", "generationConfig.x", "sessionResumption", "other")
    mask = ",".join(locks)
    setup = locked(WANTED, create(tokens, bidiGenerateContentSetup=CONSTRAINTS, fieldMask=mask))
    assert setup.model == "models/locked"
    assert setup.generation_config.temperature == 0.5
    assert setup.session_resumption.handle == "h"
    assert setup.system_instruction is None


def test_a_masked_field_the_client_leaves_out_comes_from_the_token(tokens):
    mask = "systemInstruction.parts,generationConfig.temperature"
    token = create(tokens, bidiGenerateContentSetup=CONSTRAINTS, fieldMask=mask)
    setup = locked(wire.Setup(), token)
    assert setup.system_instruction.parts[0].text == "Be kind."
    assert setup.generation_config == wire.GenerationConfig(temperature=0.5)


def test_without_constraints_a_token_locks_nothing(tokens):
    assert locked(WANTED, create(tokens, fieldMask="model")) == WANTED


def test_camel_case_becomes_snake_case():
    assert snake("responseModalities") == "response_modalities"
    assert snake("top_p") == "top_p"


@pytest.fixture
def rest(make_world, tokens):
    world = make_world()

    def ask(target, headers=KEY, method="GET", body=b""):
        response = answer(request(target, headers, method, body), world, tokens, wall_clock=NOW)
        return response.status, json.loads(response.body)

    return ask


def test_the_models_are_listed_page_by_page(rest):
    status, first = rest("/v1beta/models?pageSize=5")
    assert status == 200
    assert len(first["models"]) == 5
    assert first["models"][0]["supportedGenerationMethods"] == ["countTokens", "bidiGenerateContent"]
    names, page = [], first
    while "nextPageToken" in page:
        names += [model["name"] for model in page["models"]]
        _, page = rest(f"/v1beta/models?pageSize=5&pageToken={page['nextPageToken']}")
    names += [model["name"] for model in page["models"]]
    assert names == [model["name"] for model in rest("/v1/models?pageSize=x")[1]["models"]]
    assert "models/gemini-3.1-flash-live-preview" in names


def test_one_model_can_be_asked_for(rest):
    assert rest("/v1/models/gemini-2.0-flash-live-001")[1]["name"] == "models/gemini-2.0-flash-live-001"
    assert rest("/v1/models/gemini-9")[0] == 404


@pytest.mark.parametrize("headers", [BEARER, KEY])
def test_vertex_lists_publisher_models(rest, headers):
    _, page = rest("/v1beta1/publishers/google/models", headers)
    assert page["publisherModels"][0]["name"].startswith("publishers/google/models/")
    assert rest("/v1/publishers/google/models/gemini-live-2.5-flash", headers)[0] == 200


def test_a_token_is_made_by_post(rest, tokens):
    status, token = rest("/v1alpha/auth_tokens", KEY, "POST", b'{"uses": 2}')
    assert status == 200
    assert token["name"].startswith("auth_tokens/")
    assert token["expireTime"] == timestamp(NOW + 1800)
    tokens.use(token["name"], wire.Setup(), now=NOW)
    assert rest("/v1alpha/auth_tokens", KEY, "POST")[1]["uses"] == 1


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (("/v1/models", {}), 400),
        (("/v1/models", BEARER), 400),
        (("/v1/publishers/google/models", {}), 401),
        (("/v1/models", KEY, "POST"), 405),
        (("/v1alpha/auth_tokens", KEY), 405),
        (("/v1alpha/auth_tokens", KEY, "POST", b"{"), 400),
        (("/v1alpha/auth_tokens", KEY, "POST", b'{"uses": -1}'), 400),
        (("/elsewhere", KEY), 404),
    ],
)
def test_a_wrong_http_call_gets_a_status_and_googles_json(rest, call, status):
    got, error = rest(*call)
    assert got == error["error"]["code"] == status


def test_a_request_does_not_show_its_credentials():
    assert "simulated" not in repr(request("/v1/models"))
    assert attrs.fields_dict(Settings)["api_keys"].repr is False
