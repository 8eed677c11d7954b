"""The messages themselves: frozen, short in a repr, discreet, and with short ways to what they say."""

import attrs
import pytest

from livebridge import wire


def said(*parts: wire.Part) -> wire.ServerMessage:
    content = wire.ServerContent(model_turn=wire.Content(parts=parts))
    return wire.ServerMessage(server_content=content)


def sound(data: bytes | None, mime_type: str | None = "audio/pcm;rate=24000") -> wire.Part:
    return wire.Part(inline_data=wire.Blob(data=data, mime_type=mime_type))


def test_text_is_what_was_said_and_thoughts_are_what_was_thought() -> None:
    message = said(
        wire.Part(text="Hm.", thought=True),
        wire.Part(text="Hel"),
        wire.Part(),
        wire.Part(text="lo", thought=False),
    )
    assert message.text == "Hello"
    assert message.thoughts == "Hm."
    assert message.audio is None


def test_audio_is_the_sound_of_all_parts_and_nothing_but_sound() -> None:
    message = said(sound(b"ab"), sound(b"pic", "image/png"), sound(None), sound(b"?", None), sound(b"cd"))
    assert message.audio == b"abcd"
    assert message.text is None
    assert message.thoughts is None


@pytest.mark.parametrize(
    "message",
    [
        wire.ServerMessage(),
        wire.ServerMessage(server_content=wire.ServerContent()),
        wire.ServerMessage(server_content=wire.ServerContent(model_turn=wire.Content())),
        wire.ServerMessage(tool_call=wire.ToolCall()),
    ],
)
def test_what_was_not_said_is_none(message: wire.ServerMessage) -> None:
    assert message.text is None
    assert message.thoughts is None
    assert message.audio is None
    assert message.tool_calls == ()


def test_tool_calls_are_the_functions_to_call() -> None:
    call = wire.FunctionCall(id="1", name="book", args={})
    assert wire.ServerMessage(tool_call=wire.ToolCall(function_calls=[call])).tool_calls == (call,)


def test_messages_are_frozen_and_slotted() -> None:
    message = wire.Content()
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        message.role = "user"  # type: ignore[misc]
    assert not hasattr(message, "__dict__")


def test_a_repr_shows_what_is_there_and_payloads_by_size() -> None:
    assert repr(said(sound(b"x" * 4800))) == (
        "ServerMessage(server_content=ServerContent(model_turn=Content(parts=(Part(inline_data="
        "Blob(data=<4800 B>, mime_type='audio/pcm;rate=24000')),))))"
    )
    assert repr(wire.ClientContent(turn_complete=False)) == "ClientContent(turn_complete=False)"


@pytest.mark.parametrize(
    "message",
    [
        wire.SessionResumptionConfig(handle="s3cret"),
        wire.SessionResumptionUpdate(new_handle="s3cret"),
        wire.AuthConfig(api_key="s3cret"),
        wire.ApiAuthApiKeyConfig(api_key_string="s3cret"),
        wire.ApiKeyConfig(api_key_string="s3cret", api_key_secret="s3cret"),
        wire.AuthConfigHttpBasicAuthConfig(credential_secret="s3cret"),
        wire.AuthConfigOauthConfig(access_token="s3cret"),
        wire.AuthConfigOidcConfig(id_token="s3cret"),
        wire.ToolExaAiSearch(api_key="s3cret", custom_configs={"token": "s3cret"}),
        wire.ToolParallelAiSearch(api_key="s3cret", custom_configs={"token": "s3cret"}),
        wire.StreamableHttpTransport(headers={"authorization": "s3cret"}),
        wire.VoiceConsentSignature(signature="s3cret"),
        wire.Content(unknown={"token": "s3cret"}),
    ],
)
def test_a_repr_keeps_secrets(message: wire.Message) -> None:
    assert "s3cret" not in repr(message)
    assert "<" in repr(message)
    assert b"s3cret" in wire.dumps(message)


@pytest.mark.parametrize("name", ["responseTokenCount", "candidatesTokenCount"])
def test_the_tokens_of_the_answer_are_read_under_all_their_names(name: str) -> None:
    details = [{"modality": "AUDIO", "tokenCount": 7}]
    kind = name.replace("TokenCount", "TokensDetails")
    frame = wire.dumps({"usageMetadata": {name: 7, kind: details}})
    usage = wire.decode_server(frame).usage_metadata
    assert usage is not None
    assert (usage.response_token_count, usage.output_token_count, usage.candidates_token_count) == (7, 7, 7)
    assert usage.output_tokens_details == usage.candidates_tokens_details == usage.response_tokens_details
    assert wire.UsageMetadata().output_token_count is None
