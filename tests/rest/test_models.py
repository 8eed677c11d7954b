"""Which models there are, and which one is taken."""

from __future__ import annotations

import pytest

from livebridge.auth import EphemeralToken, Gateway, GeminiApi, VertexAi, VertexExpress
from livebridge.errors import ConfigError, RestError
from livebridge.protocol._models import LIVE_MODELS
from livebridge.rest import CATALOGUE, Model, Models
from livebridge.rest._catalogue import candidates, short

LIVE, OTHER = ["bidiGenerateContent"], ["generateContent"]
KEY = {"api_key": "AIza-key"}


def entry(name, methods=LIVE, **more):
    return {"name": f"models/{name}", "supportedGenerationMethods": methods, **more}


async def test_all_pages_are_listed_and_junk_is_skipped(api):
    api.answer(
        {"models": [entry("a", displayName="A", inputTokenLimit=5, version="1")], "nextPageToken": "t"}
    )
    api.answer({"models": [entry("b"), {"noName": 1}, 7, {"name": ""}], "nextPageToken": ""})
    found = await Models.list(base_url=api.url, **KEY)
    assert [model.short_name for model in found] == ["a", "b"]
    assert found[0] == Model(
        name="models/a", display_name="A", version="1", methods=("bidiGenerateContent",), input_token_limit=5
    )
    assert [seen.target for seen in api.seen] == [
        "/v1beta/models?pageSize=1000",
        "/v1beta/models?pageSize=1000&pageToken=t",
    ]


async def test_a_server_that_repeats_its_page_token_does_not_keep_us_for_ever(api):
    for _ in range(3):
        api.answer({"models": [entry("a")], "nextPageToken": "same"})
    assert len(await Models.list(base_url=api.url, **KEY)) == 2


@pytest.mark.parametrize("body", [{}, {"models": None}, {"models": {"name": "x"}}])
async def test_no_models_is_an_empty_list(api, body):
    api.answer(body)
    assert await Models.list(base_url=api.url, **KEY) == []


async def test_the_version_can_be_chosen(api, monkeypatch):
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", "v7")
    api.answer({})
    api.answer({})
    await Models.list(base_url=api.url, **KEY)
    await Models.list(base_url=api.url, api_version="v1", **KEY)
    assert [seen.target.split("?")[0] for seen in api.seen] == ["/v7/models", "/v1/models"]


async def test_vertex_lists_its_publishers_models(api):
    api.answer({"publisherModels": [{"name": "publishers/google/models/m", "versionId": "2"}]})
    (model,) = await Models.list(auth=VertexExpress(api_key="AQ.key"), base_url=api.url)
    assert (model.short_name, model.version, model.methods) == ("m", "2", None)
    assert model.offers("anything")
    assert api.seen[0].target.startswith("/v1beta1/publishers/google/models?")


@pytest.mark.parametrize("auth", [EphemeralToken("auth_tokens/x"), Gateway("wss://g")])
async def test_what_has_no_http_api_cannot_list(auth):
    with pytest.raises(ConfigError):
        await Models.list(auth=auth)


FIRST, SECOND = candidates("audio", backend="gemini")[:2]


async def test_the_first_available_candidate_is_taken(api):
    api.answer({"models": [entry("x"), entry(SECOND), entry(FIRST, OTHER)]})
    assert await Models.resolve("audio", base_url=api.url, **KEY) == SECOND


async def test_ones_own_candidates_come_first_and_are_returned_as_given(api):
    api.answer({"models": [entry(FIRST), entry("mine")]})
    assert await Models.resolve(candidates=["models/mine", FIRST], base_url=api.url, **KEY) == "models/mine"


async def test_when_no_candidate_is_available_another_known_model_is(api):
    api.answer({"models": [entry(SECOND), entry(FIRST)]})
    assert await Models.resolve(candidates=["mine"], base_url=api.url, **KEY) == FIRST


async def test_a_model_known_not_to_be_available_is_never_returned(api):
    api.answer({"models": [entry("embedding", OTHER), entry("some-live-model")]})
    with pytest.raises(ConfigError, match="live models available: some-live-model"):
        await Models.resolve("audio", base_url=api.url, **KEY)


async def test_text_can_be_resolved_too():
    assert await Models.resolve("text", available=["models/gemini-live-2.5-flash"]) == "gemini-live-2.5-flash"


async def test_what_is_available_can_be_given_and_nobody_is_asked():
    available = [Model(name="models/a", methods=("other",)), Model(name=f"models/{SECOND}"), "models/other"]
    assert await Models.resolve(available=available) == SECOND
    with pytest.raises(ConfigError, match="none"):
        await Models.resolve(available=[])
    vertex = VertexAi(project="p")
    assert await Models.resolve(available=[FIRST], auth=vertex) == FIRST


async def test_a_method_can_be_required(api):
    api.answer({"models": [entry(FIRST, OTHER)]})
    assert await Models.resolve(require_method="generateContent", base_url=api.url, **KEY) == FIRST


async def test_without_a_list_the_first_candidate_is_taken_with_a_warning(caplog, autojump_clock):
    assert await Models.resolve(auth=EphemeralToken("auth_tokens/x")) == FIRST
    assert await Models.resolve(auth=Gateway("wss://g"), candidates=["mine"]) == "mine"
    assert await Models.resolve(auth=GeminiApi(api_key="k"), base_url="http://127.0.0.1:1") == FIRST
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 3


async def test_a_refused_key_is_no_reason_to_guess(api):
    for _ in range(2):
        api.answer({}, status=403)
    with pytest.raises(RestError):
        await Models.resolve(base_url=api.url, **KEY)


@pytest.mark.parametrize("options", [{"modality": "smell"}, {"candidates": []}])
async def test_a_question_that_makes_no_sense_is_refused(options):
    with pytest.raises(ConfigError):
        await Models.resolve(available=["x"], **options)


def test_models_seen_on_a_backend_are_tried_first_there():
    assert candidates("audio", backend="vertex").index("gemini-live-2.5-flash-native-audio") < candidates(
        "audio", backend="vertex"
    ).index("gemini-2.5-flash-native-audio-latest")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("m", "m"), ("models/m", "m"), ("publishers/google/models/m", "m"), ("models/m:1", "m")],
)
def test_names_are_compared_without_prefix_and_version(name, expected):
    assert short(name) == expected


def test_the_catalogue_agrees_with_what_the_protocol_knows():
    for model in CATALOGUE:
        known = LIVE_MODELS[model.name]
        assert model.aliases == known.aliases
        assert model.answers == {modality.lower() for modality in known.response_modalities}
    assert {model.name for model in CATALOGUE} == set(LIVE_MODELS)
