"""The messages of the Live API as frozen classes, and the codec between them and the frames of a WebSocket.

Every object that can travel has one class here, under its own name and with its own fields in snake_case.
Nothing in this package waits, reads a clock or touches a socket: bytes in, objects out, and back. It is
the only place in livebridge that knows JSON, base64 and camelCase; past it nobody meets a ``dict`` whose
keys must be guessed::

    from livebridge import wire

    frame = wire.encode_client(wire.ClientMessage(realtime_input=wire.RealtimeInput(text="Hello")))
    assert frame == b'{"realtimeInput":{"text":"Hello"}}'

    message = wire.decode_server(b'{"serverContent": {"turnComplete": true}, "news": [1, 2]}')
    assert message.server_content.turn_complete
    assert message.unknown == {"news": [1, 2]}

The way of a value::

      what a user hands in: mappings, text, google-genai's objects
            │
            │ from_user
            ▼
      ┌───────────────┐  to_plain    ┌──────────────────┐  dumps   ┌─────────────────┐
      │ a message     │ ───────────▶ │ plain JSON       │ ───────▶ │ bytes:          │
      │ class of this │              │ values with      │          │ one frame, UTF-8│
      │ package       │ ◀─────────── │ camelCase keys   │ ◀─────── │                 │
      └───────────────┘  from_plain  └──────────────────┘  loads   └─────────────────┘
            │    ▲                                                      ▲    │
            │    └─── decode_server, decode_client ─────────────────────│────┘
            └──────── encode_client, encode_server, encode_audio ───────┘

The roots are `ClientMessage` (exactly one member set) and `ServerMessage` (any members together). `Setup`,
`Content`, `Part`, `Tool`, `GenerationConfig` are the classes that one writes by hand; `ServerMessage.text`,
`ServerMessage.audio`, `ServerMessage.thoughts` and `ServerMessage.tool_calls` are the shortest ways to what
one reads.

What is guaranteed
==================

* **Absent is None, and only absent is.** ``turn_complete=False`` is sent, ``turn_complete=None`` is not; an
  empty message is written ``{}``. No default of the server's is copied into a class.
* **Decoding raises** `livebridge.errors.DecodeError` **or nothing**, whatever the bytes, and what is no JSON
  object is the only reason.
* **Nothing is lost.** A member that a class does not know stands, as it came, in ``unknown`` of the object it
  belongs to. So does a known member whose value does not fit, and its field is ``None``. An unknown value of
  an enumeration stays a plain ``str``. All of it is written back when the object is encoded. (JSON integers
  beyond 64 bits are the one exception: they become floats.)
* **Reading is tolerant as proto3 JSON is**: snake_case keys beside camelCase ones, 64-bit integers as strings
  or numbers, booleans as strings, base64 in both alphabets with or without padding; both backends' words for
  the counts in ``usageMetadata``. Names inside free-form maps (``args``, ``response``, ``labels``, schema
  ``properties`` …) are never touched.
* **Writing is strict**: one spelling for everything, and a value of the wrong type is a
  `livebridge.errors.ConfigError` that says where and what was expected, instead of a connection closed by
  the server.
* **What users hand in is taken in any of its customary forms** (`from_user`), and refused with the nearest
  known name when a key is misspelt.
* **A** ``repr`` **is short and safe**: only what is there, payloads by size, credentials and handles not at
  all.

Not guaranteed: that a message makes sense. That ``setup`` comes first, that a backend accepts a field, that
an ``id`` answers a call, are rules of the conversation and stand in `livebridge.protocol`. Sequences that
were decoded are tuples, and a tuple equals no list: build messages with tuples where they are compared.

When not to use it
==================

If a session does the talking, its callbacks get these objects ready-made and its options take plain
mappings; the codec is for those who record, replay, test or simulate conversations. It is no general JSON
library either: `dumps` and `loads` are there so that the rest of livebridge needs none.
"""

# One name per line would make four hundred lines of this file.
# fmt: off
# ruff: isort: off
from livebridge.wire._base import Duration, Int64, Message, Timestamp
from livebridge.wire._client import (
    ActivityEnd, ActivityStart, ClientContent, ClientMessage, ContextUpdate, ContextUpdateTools,
    RealtimeInput, ToolResponse,
)
from livebridge.wire._codec import (
    decode_base64, decode_client, decode_server, encode_audio, encode_base64, encode_client, encode_server,
    from_plain, to_plain,
)
from livebridge.wire._config_enums import (
    ActivityHandling, ApiSpec, AspectRatio, AudioTranscriptionConfigMode, AuthType, Behavior, Delivery,
    DynamicRetrievalConfigMode, EndSensitivity, Environment, FeatureSelectionPreference, HarmBlockMethod,
    HarmBlockThreshold, HarmCategory, HttpElementLocation, ImageSize, MediaResolution, Modality,
    PhishBlockThreshold, SafetyPolicy, StartSensitivity, ThinkingLevel, TurnCoverage, Type,
)
from livebridge.wire._content import (
    AudioMetadata, Blob, CodeExecutionResult, Content, DocumentMetadata, ExecutableCode, FileData,
    FunctionCall, FunctionResponse, FunctionResponseBlob, FunctionResponseFileData, FunctionResponsePart,
    Part, PartMediaResolution, PartialArg, ServerSideToolCall, ServerSideToolResponse, SpeechMetadata,
    SpreadsheetMetadata, Transcription, VideoMetadata, WordInfo,
)
from livebridge.wire._content_enums import (
    DocumentMetadataContentLayer, FunctionResponseScheduling, InteractionStatus, Language, MediaModality,
    MediaProcessing, Outcome, PartMediaResolutionLevel, ServiceTier, SpreadsheetMetadataContentLayer,
    ToolType, TrafficType, TurnCompleteReason, UrlRetrievalStatus, VadSignalType, VideoMetadataContentLayer,
    VoiceActivityType,
)
from livebridge.wire._generation import (
    AudioResponseFormat, AudioTranscriptionConfig, GenerationConfig, GenerationConfigRoutingConfig,
    GenerationConfigRoutingConfigAutoRoutingMode, GenerationConfigRoutingConfigManualRoutingMode,
    ImageResponseFormat, LanguageAuto, LanguageHints, ModelSelectionConfig, MultiSpeakerVoiceConfig,
    PrebuiltVoiceConfig, ReplicatedVoiceConfig, ResponseFormat, SpeakerVoiceConfig, SpeechConfig,
    TextResponseFormat, ThinkingConfig, TranslationConfig, VideoResponseFormat, VoiceConfig,
    VoiceConsentSignature,
)
from livebridge.wire._grounding import (
    GroundingChunk, GroundingChunkCustomMetadata, GroundingChunkImage, GroundingChunkMaps,
    GroundingChunkMapsPlaceAnswerSources, GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution,
    GroundingChunkMapsPlaceAnswerSourcesReviewSnippet, GroundingChunkMapsRoute,
    GroundingChunkRetrievedContext, GroundingChunkStringList, GroundingChunkWeb, GroundingMetadata,
    GroundingMetadataSourceFlaggingUri, GroundingSupport, RagChunk, RagChunkPageSpan, RetrievalMetadata,
    SearchEntryPoint, Segment, UrlContextMetadata, UrlMetadata,
)
from livebridge.wire._json import dumps, loads
from livebridge.wire._retrieval import (
    ApiAuth, ApiAuthApiKeyConfig, ApiKeyConfig, AuthConfig, AuthConfigGoogleServiceAccountConfig,
    AuthConfigHttpBasicAuthConfig, AuthConfigOauthConfig, AuthConfigOidcConfig, ExternalApi,
    ExternalApiElasticSearchParams, ExternalApiSimpleSearchParams, RagRetrievalConfig,
    RagRetrievalConfigFilter, RagRetrievalConfigHybridSearch, RagRetrievalConfigRanking,
    RagRetrievalConfigRankingLlmRanker, RagRetrievalConfigRankingRankService, Retrieval, VertexAISearch,
    VertexAISearchDataStoreSpec, VertexRagStore, VertexRagStoreRagResource,
)
from livebridge.wire._server import (
    GoAway, ModalityTokenCount, ServerContent, ServerMessage, SessionResumptionUpdate, SetupComplete,
    ToolCall, ToolCallCancellation, UsageMetadata, VoiceActivity, VoiceActivityDetectionSignal,
)
from livebridge.wire._setup import (
    AutomaticActivityDetection, AvatarConfig, ContextWindowCompressionConfig, CustomizedAvatar,
    HistoryConfig, ProactivityConfig, RealtimeInputConfig, SafetySetting, SessionResumptionConfig, Setup,
    SlidingWindow,
)
from livebridge.wire._structure import structure
from livebridge.wire._tools import (
    ComputerUse, DynamicRetrievalConfig, EnterpriseWebSearch, FileSearch, FunctionDeclaration, GoogleMaps,
    GoogleMapsGroundingTypes, GoogleMapsPlaces, GoogleMapsRouting, GoogleSearch, GoogleSearchRetrieval,
    ImageSearch, Interval, McpServer, Schema, SearchTypes, StreamableHttpTransport, Tool, ToolCodeExecution,
    ToolExaAiSearch, ToolParallelAiSearch, UrlContext, WebSearch,
)
from livebridge.wire._user import from_user

__all__ = [
    "ActivityEnd", "ActivityHandling", "ActivityStart", "ApiAuth", "ApiAuthApiKeyConfig", "ApiKeyConfig",
    "ApiSpec", "AspectRatio", "AudioMetadata", "AudioResponseFormat", "AudioTranscriptionConfig",
    "AudioTranscriptionConfigMode", "AuthConfig", "AuthConfigGoogleServiceAccountConfig",
    "AuthConfigHttpBasicAuthConfig", "AuthConfigOauthConfig", "AuthConfigOidcConfig", "AuthType",
    "AutomaticActivityDetection", "AvatarConfig", "Behavior", "Blob", "ClientContent", "ClientMessage",
    "CodeExecutionResult", "ComputerUse", "Content", "ContextUpdate", "ContextUpdateTools",
    "ContextWindowCompressionConfig", "CustomizedAvatar", "Delivery", "DocumentMetadata",
    "DocumentMetadataContentLayer", "Duration", "DynamicRetrievalConfig", "DynamicRetrievalConfigMode",
    "EndSensitivity", "EnterpriseWebSearch", "Environment", "ExecutableCode", "ExternalApi",
    "ExternalApiElasticSearchParams", "ExternalApiSimpleSearchParams", "FeatureSelectionPreference",
    "FileData", "FileSearch", "FunctionCall", "FunctionDeclaration", "FunctionResponse",
    "FunctionResponseBlob", "FunctionResponseFileData", "FunctionResponsePart",
    "FunctionResponseScheduling", "GenerationConfig", "GenerationConfigRoutingConfig",
    "GenerationConfigRoutingConfigAutoRoutingMode", "GenerationConfigRoutingConfigManualRoutingMode",
    "GoAway", "GoogleMaps", "GoogleMapsGroundingTypes", "GoogleMapsPlaces", "GoogleMapsRouting",
    "GoogleSearch", "GoogleSearchRetrieval", "GroundingChunk", "GroundingChunkCustomMetadata",
    "GroundingChunkImage", "GroundingChunkMaps", "GroundingChunkMapsPlaceAnswerSources",
    "GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution",
    "GroundingChunkMapsPlaceAnswerSourcesReviewSnippet", "GroundingChunkMapsRoute",
    "GroundingChunkRetrievedContext", "GroundingChunkStringList", "GroundingChunkWeb", "GroundingMetadata",
    "GroundingMetadataSourceFlaggingUri", "GroundingSupport", "HarmBlockMethod", "HarmBlockThreshold",
    "HarmCategory", "HistoryConfig", "HttpElementLocation", "ImageResponseFormat", "ImageSearch",
    "ImageSize", "Int64", "InteractionStatus", "Interval", "Language", "LanguageAuto", "LanguageHints",
    "McpServer", "MediaModality", "MediaProcessing", "MediaResolution", "Message", "Modality",
    "ModalityTokenCount", "ModelSelectionConfig", "MultiSpeakerVoiceConfig", "Outcome", "Part",
    "PartMediaResolution", "PartMediaResolutionLevel", "PartialArg", "PhishBlockThreshold",
    "PrebuiltVoiceConfig", "ProactivityConfig", "RagChunk", "RagChunkPageSpan", "RagRetrievalConfig",
    "RagRetrievalConfigFilter", "RagRetrievalConfigHybridSearch", "RagRetrievalConfigRanking",
    "RagRetrievalConfigRankingLlmRanker", "RagRetrievalConfigRankingRankService", "RealtimeInput",
    "RealtimeInputConfig", "ReplicatedVoiceConfig", "ResponseFormat", "Retrieval", "RetrievalMetadata",
    "SafetyPolicy", "SafetySetting", "Schema", "SearchEntryPoint", "SearchTypes", "Segment",
    "ServerContent", "ServerMessage", "ServerSideToolCall", "ServerSideToolResponse", "ServiceTier",
    "SessionResumptionConfig", "SessionResumptionUpdate", "Setup", "SetupComplete", "SlidingWindow",
    "SpeakerVoiceConfig", "SpeechConfig", "SpeechMetadata", "SpreadsheetMetadata",
    "SpreadsheetMetadataContentLayer", "StartSensitivity", "StreamableHttpTransport", "TextResponseFormat",
    "ThinkingConfig", "ThinkingLevel", "Timestamp", "Tool", "ToolCall", "ToolCallCancellation",
    "ToolCodeExecution", "ToolExaAiSearch", "ToolParallelAiSearch", "ToolResponse", "ToolType",
    "TrafficType", "Transcription", "TranslationConfig", "TurnCompleteReason", "TurnCoverage", "Type",
    "UrlContext", "UrlContextMetadata", "UrlMetadata", "UrlRetrievalStatus", "UsageMetadata",
    "VadSignalType", "VertexAISearch", "VertexAISearchDataStoreSpec", "VertexRagStore",
    "VertexRagStoreRagResource", "VideoMetadata", "VideoMetadataContentLayer", "VideoResponseFormat",
    "VoiceActivity", "VoiceActivityDetectionSignal", "VoiceActivityType", "VoiceConfig",
    "VoiceConsentSignature", "WebSearch", "WordInfo", "decode_base64", "decode_client", "decode_server",
    "dumps", "encode_audio", "encode_base64", "encode_client", "encode_server", "from_plain", "from_user",
    "loads", "structure", "to_plain",
]
