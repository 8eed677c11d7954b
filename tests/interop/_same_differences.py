"""Where livebridge and google-genai 3.4.0 do not do the same, and why; each is observed by a test."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from _same_observers import (
    ABSENT,
    REFUSED,
    calls,
    detail,
    plain_http,
    readings,
    response_formats,
    setups,
    survives,
    token_header,
)

NOT_GENERATED = frozenset(
    {
        # see "a model selection on the Gemini API" and "a schema for text on the Gemini API" below
        ("GenerationConfig", "model_selection_config"),
        ("ResponseFormat", "text"),
        # see "a server without a name on Vertex"
        ("Tool", "mcp_servers"),
        # see "the service tier on Vertex"
        ("UsageMetadata", "service_tier"),
        # literals, on which google-genai insists where it lets unknown enumeration values pass
        ("GenerationConfigRoutingConfigAutoRoutingMode", "model_routing_preference"),
        # a literal, which google-genai insists on and no server has sent in a live session
        ("PartialArg", "null_value"),
    }
)
"""Fields that the generated cases leave out, because a difference below is about them."""


@attrs.frozen(kw_only=True)
class Difference:
    """One difference.

    Attributes:
        reason: Why it is there.
        theirs: What google-genai does.
        ours: What livebridge does.
        observe: Lets both do it.
    """

    reason: str
    theirs: object
    ours: object
    observe: Callable


TWO_SPEAKERS = {"speech_config": {"multi_speaker_voice_config": {"speaker_voice_configs": []}}}
ODD = {"data": b"\x00\x00\x00", "mime_type": "audio/pcm;rate=16000"}


DIFFERENCES = {
    "resumption by default": Difference(
        reason="Without a handle a lost connection loses the conversation; None switches it off.",
        theirs=ABSENT,
        ours={},
        observe=setups("gemini", {}, "sessionResumption", off=False),
    ),
    "compression by default": Difference(
        reason="Without it an audio session ends after a quarter of an hour; None switches it off.",
        theirs=ABSENT,
        ours={"slidingWindow": {}},
        observe=setups("gemini", {}, "contextWindowCompression", off=False),
    ),
    "affective dialog outside v1alpha": Difference(
        reason="The Gemini API knows it in v1alpha only and closes the socket otherwise; found before dialling.",
        theirs=True,
        ours=REFUSED,
        observe=setups("gemini", {"enable_affective_dialog": True}, "generationConfig.enableAffectiveDialog"),
    ),
    "two modalities": Difference(
        reason="A session has one response modality; found before dialling.",
        theirs=["TEXT", "AUDIO"],
        ours=REFUSED,
        observe=setups(
            "gemini", {"response_modalities": ["TEXT", "AUDIO"]}, "generationConfig.responseModalities"
        ),
    ),
    "a tool without members": Difference(
        reason="An empty list says the same as none; livebridge leaves it out.",
        theirs=[],
        ours=ABSENT,
        observe=setups("gemini", {"tools": [{}]}, "tools"),
    ),
    "empty generation settings": Difference(
        reason="An empty message says the same as none here; livebridge leaves it out.",
        theirs={},
        ours=ABSENT,
        observe=setups("gemini", {"generation_config": {}}, "generationConfig"),
    ),
    "two speakers in nested settings": Difference(
        reason="google-genai forgets to look there; the Live API takes one voice wherever it is written.",
        theirs={"multi_speaker_voice_config": {"speaker_voice_configs": []}},
        ours=REFUSED,
        observe=setups("gemini", {"generation_config": TWO_SPEAKERS}, "generationConfig.speech_config"),
    ),
    "a model selection on the Gemini API": Difference(
        reason="The field is modelConfig on the wire; google-genai renames it for Vertex and copies it elsewhere.",
        theirs=ABSENT,
        ours={},
        observe=setups(
            "gemini", {"generation_config": {"model_selection_config": {}}}, "generationConfig.modelConfig"
        ),
    ),
    "a schema for text on the Gemini API": Difference(
        reason="google-genai copies the name of its own attribute, jsonSchema; the field is schema.",
        theirs={"jsonSchema": {"type": "OBJECT"}},
        ours=ABSENT,
        observe=response_formats,
    ),
    "a server without a name on Vertex": Difference(
        reason="google-genai looks at the members of a server, livebridge at the tool, which Vertex lacks.",
        theirs=[{"mcpServers": [{}]}],
        ours=REFUSED,
        observe=setups("vertex", {"tools": [{"mcp_servers": [{}]}]}, "tools"),
    ),
    "one field in both places": Difference(
        reason="google-genai merges objects and refuses scalars; livebridge refuses whatever contradicts.",
        theirs="de",
        ours=REFUSED,
        observe=setups(
            "vertex",
            {
                "speech_config": {"language_code": "de"},
                "generation_config": {"speech_config": {"voice_config": {"voice": "Kore"}}},
            },
            "generationConfig.speechConfig.languageCode",
        ),
    ),
    "the name of a voice": Difference(
        reason="The name of a prebuilt voice says all there is to say.",
        theirs=REFUSED,
        ours={"prebuiltVoiceConfig": {"voiceName": "Kore"}},
        observe=setups("gemini", {"speech_config": "Kore"}, "generationConfig.speechConfig.voiceConfig"),
    ),
    "a declaration without its tool": Difference(
        reason="A function declaration among the tools can mean only one thing.",
        theirs=REFUSED,
        ours=[{"functionDeclarations": [{"name": "f"}]}],
        observe=setups("gemini", {"tools": [{"name": "f"}]}, "tools"),
    ),
    "half the name of an enumeration value": Difference(
        reason="high is START_SENSITIVITY_HIGH; google-genai passes what it does not know, with a warning.",
        theirs="high",
        ours=ABSENT,
        observe=setups(
            "gemini",
            {
                "realtime_input_config": {
                    "automatic_activity_detection": {"start_of_speech_sensitivity": "high"}
                }
            },
            "realtimeInputConfig.automatic_activity_detection.start_of_speech_sensitivity",
        ),
    ),
    "camelCase": Difference(
        reason="google-genai writes snake_case here; proto3 servers read both, livebridge writes camelCase only.",
        theirs=ABSENT,
        ours=True,
        observe=calls("gemini", "send_realtime_input", "realtimeInput.audioStreamEnd", audio_stream_end=True),
    ),
    "base64": Difference(
        reason="google-genai writes the alphabet for URLs, livebridge the standard one, as the server does.",
        theirs="__4=",
        ours=ABSENT,
        observe=calls(
            "gemini",
            "send_realtime_input",
            "realtime_input.audio.data",
            audio={"data": b"\xff\xfe", "mime_type": "audio/pcm"},
        ),
    ),
    "text as content": Difference(
        reason="Text is what most people have; the JavaScript SDK takes it as well.",
        theirs=REFUSED,
        ours=[{"role": "user", "parts": [{"text": "Hi"}]}],
        observe=calls("gemini", "send_client_content", "clientContent.turns", "Hi"),
    ),
    "a turn without members": Difference(
        reason="An empty turn is a mistake, and one that the server answers by closing.",
        theirs=[{}],
        ours=REFUSED,
        observe=calls("gemini", "send_client_content", "client_content.turns", [{}]),
    ),
    "half a sample": Difference(
        reason="An odd number of bytes shifts all sound that follows into noise.",
        theirs="AAAA",
        ours=REFUSED,
        observe=calls("gemini", "send_realtime_input", "realtime_input.audio.data", audio=ODD),
    ),
    "compressed sound": Difference(
        reason="The Live API hears raw PCM only, and hangs up on anything else with 1007.",
        theirs="audio/ogg",
        ours=REFUSED,
        observe=calls(
            "gemini",
            "send_realtime_input",
            "realtime_input.audio.mime_type",
            audio={"data": b"Ogg", "mime_type": "audio/ogg"},
        ),
    ),
    "a picture that is none": Difference(
        reason="Bytes that are no JPEG and no PNG file cannot be looked at.",
        theirs="image/jpeg",
        ours=REFUSED,
        observe=calls(
            "gemini",
            "send_realtime_input",
            "realtime_input.video.mime_type",
            video={"data": b"abc", "mime_type": "image/jpeg"},
        ),
    ),
    "an activity of the client with automatic detection": Difference(
        reason="The Live API hangs up on it with 1007; google-genai does not look.",
        theirs={},
        ours=REFUSED,
        observe=calls("gemini", "send_realtime_input", "realtime_input.activityStart", activity_start={}),
    ),
    "a microphone that is not off": Difference(
        reason="A signal can be given or not given; sending its opposite means nothing.",
        theirs=False,
        ours=REFUSED,
        observe=calls(
            "gemini", "send_realtime_input", "realtime_input.audioStreamEnd", audio_stream_end=False
        ),
    ),
    "an answer without a response": Difference(
        reason="The model waits for a response; the JavaScript SDK refuses this as well.",
        theirs=[{"id": "1"}],
        ours=REFUSED,
        observe=calls("gemini", "send_tool_response", "tool_response.functionResponses", {"id": "1"}),
    ),
    "candidates on the Gemini API": Difference(
        reason="google-genai reads one name of the count per backend; livebridge reads both everywhere.",
        theirs=None,
        ours=5,
        observe=readings(
            "gemini",
            {"usageMetadata": {"candidatesTokenCount": 5}},
            "usage_metadata.response_token_count",
            "usage_metadata.response_token_count",
        ),
    ),
    "details of the response on Vertex": Difference(
        reason="The same for the details.",
        theirs=None,
        ours=5,
        observe=detail,
    ),
    "the service tier on Vertex": Difference(
        reason="google-genai drops it there; livebridge keeps what the server says.",
        theirs=None,
        ours="priority",
        observe=readings(
            "vertex",
            {"usageMetadata": {"serviceTier": "priority"}},
            "usage_metadata.service_tier",
            "usage_metadata.service_tier",
        ),
    ),
    "voiceActivityType": Difference(
        reason="The wire says type; google-genai drops its own attribute's name, livebridge reads both.",
        theirs=None,
        ours="ACTIVITY_END",
        observe=readings(
            "gemini",
            {"voiceActivity": {"voiceActivityType": "ACTIVITY_END"}},
            "voice_activity.voice_activity_type",
            "voice_activity.type",
        ),
    ),
    "a duration in pieces": Difference(
        reason="google-genai raises on what is no text; livebridge reads on without it.",
        theirs=REFUSED,
        ours=True,
        observe=lambda lab: survives(lab, {"goAway": {"timeLeft": {"seconds": 3000}}}),
    ),
    "a message nobody knows": Difference(
        reason="google-genai takes it for an error and fails on its own comparison; livebridge hands it over.",
        theirs=REFUSED,
        ours=True,
        observe=lambda lab: survives(lab, {"newsOfTomorrow": {}}),
    ),
    "an error as a message": Difference(
        reason="The same defect of google-genai.",
        theirs=REFUSED,
        ours=True,
        observe=lambda lab: survives(lab, {"error": {"code": 500, "message": "x"}}),
    ),
    "http": Difference(
        reason="google-genai dials with TLS whatever the base URL says; livebridge keeps http as it is.",
        theirs="TLS",
        ours=REFUSED,
        observe=plain_http,
    ),
    "an ephemeral token twice": Difference(
        reason="google-genai sends the token a second time as if it were an API key.",
        theirs=True,
        ours=False,
        observe=token_header,
    ),
}
