"""livebridge.wire and google-genai 3.4.0 understand each other's frames and objects."""

import asyncio
import warnings
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import attrs
import pytest
from google.genai import live, types

from livebridge import wire

FRAMES = {
    "setup complete on the Gemini API": {"setupComplete": {}},
    "setup complete on Vertex": {"setupComplete": {"sessionId": "5f3c"}},
    "audio": {
        "serverContent": {
            "modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAD//w=="}}]}
        }
    },
    "text and thoughts": {
        "serverContent": {
            "modelTurn": {"role": "model", "parts": [{"text": "Hm", "thought": True}, {"text": "Yes"}]}
        }
    },
    "code": {
        "serverContent": {
            "modelTurn": {
                "parts": [
                    {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
                    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1\n"}},
                ]
            }
        }
    },
    "transcription": {
        "serverContent": {
            "inputTranscription": {
                "text": "hi",
                "finished": True,
                "words": [{"word": "hi", "startOffset": "0.5s", "endOffset": "1s"}],
            },
            "outputTranscription": {},
        }
    },
    "end of turn": {
        "serverContent": {
            "turnComplete": True,
            "generationComplete": True,
            "turnCompleteReason": "NEED_MORE_INPUT",
            "interactionStatus": "IDLE",
        }
    },
    "interruption": {"serverContent": {"interrupted": True}},
    "grounding": {
        "serverContent": {
            "groundingMetadata": {
                "webSearchQueries": ["weather"],
                "groundingChunks": [{"web": {"uri": "https://example.org", "title": "t", "domain": "d"}}],
                "groundingSupports": [
                    {"segment": {"startIndex": 1, "endIndex": 3, "text": "ab"}, "groundingChunkIndices": [0]}
                ],
                "searchEntryPoint": {"renderedContent": "<div>", "sdkBlob": "-_8="},
            },
            "urlContextMetadata": {
                "urlMetadata": [{"retrievedUrl": "u", "urlRetrievalStatus": "URL_RETRIEVAL_STATUS_SUCCESS"}]
            },
        }
    },
    "tool call": {
        "toolCall": {
            "functionCalls": [{"id": "1", "name": "f", "args": {"snake_key": [1, {"camelKey": None}]}}]
        }
    },
    "tool call cancellation": {"toolCallCancellation": {"ids": ["1", "2"]}},
    "farewell": {"goAway": {"timeLeft": "59.5s"}},
    "resumption": {
        "sessionResumptionUpdate": {
            "newHandle": "h",
            "resumable": True,
            "lastConsumedClientMessageIndex": "12",
        }
    },
    "voice activity": {"voiceActivity": {"type": "ACTIVITY_START", "audioOffset": "1.5s"}},
    "voice activity signal": {"voiceActivityDetectionSignal": {"vadSignalType": "VAD_SIGNAL_TYPE_SOS"}},
    "several at once": {
        "serverContent": {"turnComplete": True},
        "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3},
        "sessionResumptionUpdate": {"resumable": False},
    },
    "unknown value of an enumeration": {"serverContent": {"turnCompleteReason": "BORED"}},
    "unknown member": {"serverContent": {"turnComplete": True, "mood": "good"}},
}
USAGE = {
    False: {"responseTokenCount": 5, "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}]},
    True: {"candidatesTokenCount": 5, "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 5}]},
}


class OneFrame:
    """A WebSocket on which one frame arrives."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame

    async def recv(self, *, decode: bool) -> bytes:
        assert not decode
        return self.frame


def their_reading(frame: bytes, *, vertex: bool) -> types.LiveServerMessage:
    session = live.AsyncSession(api_client=SimpleNamespace(vertexai=vertex), websocket=OneFrame(frame))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # it warns about unknown enumeration values
        return asyncio.run(session._receive())


def assert_same(ours: Any, theirs: Any) -> None:
    if isinstance(ours, wire.Message):
        their_names = {"type": "voice_activity_type"} if isinstance(ours, wire.VoiceActivity) else {}
        names = [field.name for field in attrs.fields(type(ours)) if field.name != "unknown"]
        for name in names:
            assert_same(getattr(ours, name), getattr(theirs, their_names.get(name, name)))
        present = {name for name in type(theirs).model_fields if getattr(theirs, name) is not None}
        assert present <= {their_names.get(name, name) for name in names}
    elif isinstance(ours, Sequence) and not isinstance(ours, str | bytes):
        assert len(ours) == len(theirs)
        for our_item, their_item in zip(ours, theirs, strict=True):
            assert_same(our_item, their_item)
    elif isinstance(theirs, str) and isinstance(ours, float):
        assert ours == float(theirs.removesuffix("s"))
    else:
        assert ours == theirs


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
@pytest.mark.parametrize("plain", FRAMES.values(), ids=FRAMES)
def test_both_read_a_frame_of_the_server_alike(plain: dict[str, Any], vertex: bool) -> None:
    frame = wire.dumps(plain, pretty=True)
    assert_same(wire.decode_server(frame), their_reading(frame, vertex=vertex))


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
def test_both_count_alike(vertex: bool) -> None:
    frame = wire.dumps({"usageMetadata": {"promptTokenCount": 3, **USAGE[vertex]}})
    assert_same(wire.decode_server(frame), their_reading(frame, vertex=vertex))


@pytest.mark.parametrize("vertex", [False, True], ids=["gemini", "vertex"])
def test_they_read_what_we_write_as_a_server(vertex: bool) -> None:
    detail = wire.ModalityTokenCount(modality=wire.MediaModality.AUDIO, token_count=5)
    message = wire.ServerMessage(
        server_content=wire.ServerContent(turn_complete=True),
        usage_metadata=wire.UsageMetadata(response_token_count=5, response_tokens_details=(detail,)),
        go_away=wire.GoAway(time_left=9.5),
    )
    frame = wire.encode_server(message, vertex=vertex, pretty=True)
    assert_same(message, their_reading(frame, vertex=vertex))


def test_their_objects_can_be_handed_in_for_ours() -> None:
    theirs = types.GenerationConfig(
        response_modalities=[types.Modality.AUDIO],
        speech_config=types.SpeechConfig(
            voice_config=types.VoiceConfig(prebuilt_voice_config=types.PrebuiltVoiceConfig(voice_name="Kore"))
        ),
        temperature=0.5,
    )
    assert_same(wire.from_user(wire.GenerationConfig, theirs, where="option"), theirs)
    declaration = types.FunctionDeclaration(
        name="f",
        behavior=types.Behavior.NON_BLOCKING,
        parameters=types.Schema(type=types.Type.OBJECT, properties={"a_b": types.Schema(type="STRING")}),
    )
    ours = wire.from_user(wire.Tool, types.Tool(function_declarations=[declaration]), where="option")
    assert ours.function_declarations is not None
    assert ours.function_declarations[0].parameters == wire.Schema(
        type=wire.Type.OBJECT, properties={"a_b": wire.Schema(type=wire.Type.STRING)}
    )
    content = types.Content(
        role="user",
        parts=[types.Part(text="Hi"), types.Part.from_bytes(data=b"\xfb", mime_type="image/png")],
    )
    assert_same(wire.from_user(wire.Content, content, where="turns"), content)
    assert_same(wire.from_user(wire.Content, content.parts, where="turns").parts, content.parts)


def test_what_they_send_is_what_we_would_read() -> None:
    sent: list[str] = []

    class Socket:
        async def send(self, frame: str) -> None:
            sent.append(frame)

    async def talk() -> None:
        session = live.AsyncSession(api_client=SimpleNamespace(vertexai=False), websocket=Socket())
        await session.send_realtime_input(audio=types.Blob(data=b"\xff\xfe\xfd", mime_type="audio/pcm"))
        await session.send_client_content(turns=types.Content(parts=[types.Part(text="Hi")]))
        await session.send_tool_response(
            function_responses=types.FunctionResponse(id="1", name="f", response={"snake_key": 1})
        )

    asyncio.run(talk())
    audio, content, tool = map(wire.decode_client, sent)
    assert audio.realtime_input == wire.RealtimeInput(
        audio=wire.Blob(data=b"\xff\xfe\xfd", mime_type="audio/pcm")
    )
    turn = wire.Content(parts=(wire.Part(text="Hi"),))
    assert content.client_content == wire.ClientContent(turns=(turn,), turn_complete=True)
    response = wire.FunctionResponse(id="1", name="f", response={"snake_key": 1})
    assert tool.tool_response == wire.ToolResponse(function_responses=(response,))
