"""What a model may use: functions of the client, and tools that the server runs by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from livebridge.wire._base import Duration, Message, Timestamp, concealed
from livebridge.wire._config_enums import (
    Behavior,
    DynamicRetrievalConfigMode,
    Environment,
    PhishBlockThreshold,
    SafetyPolicy,
    Type,
)
from livebridge.wire._retrieval import AuthConfig, Retrieval


@attrs.frozen(kw_only=True, repr=False)
class ComputerUse(Message):
    """A tool with which the model operates a computer."""

    environment: Environment | str | None = None
    excluded_predefined_functions: Sequence[str] | None = None
    enable_prompt_injection_detection: bool | None = None
    disabled_safety_policies: Sequence[SafetyPolicy | str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class DynamicRetrievalConfig(Message):
    """When the model decides to search.

    Attributes:
        dynamic_threshold: The least score, 0 to 1, at which it does.
    """

    dynamic_threshold: float | None = None
    mode: DynamicRetrievalConfigMode | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class EnterpriseWebSearch(Message):
    """Search of the web for enterprises. Vertex only."""

    blocking_confidence: PhishBlockThreshold | str | None = None
    exclude_domains: Sequence[str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class FileSearch(Message):
    """Search in file stores. Gemini API only."""

    file_search_store_names: Sequence[str] | None = None
    top_k: int | None = None
    metadata_filter: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class Schema(Message):
    """The shape of a value, in the subset of OpenAPI 3.0 that the Live API understands.

    Keys of ``properties`` and ``defs`` are names of the caller's and are written as they are. For full JSON
    Schema use ``FunctionDeclaration.parameters_json_schema``.
    """

    additional_properties: Any | None = None
    defs: "Mapping[str, Schema] | None" = None
    ref: str | None = None
    any_of: "Sequence[Schema] | None" = None
    default: Any | None = None
    description: str | None = None
    enum: Sequence[str] | None = None
    example: Any | None = None
    format: str | None = None
    items: "Schema | None" = None
    max_items: int | None = None
    max_length: int | None = None
    max_properties: int | None = None
    maximum: float | None = None
    min_items: int | None = None
    min_length: int | None = None
    min_properties: int | None = None
    minimum: float | None = None
    nullable: bool | None = None
    pattern: str | None = None
    properties: "Mapping[str, Schema] | None" = None
    property_ordering: Sequence[str] | None = None
    required: Sequence[str] | None = None
    title: str | None = None
    type: Type | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class FunctionDeclaration(Message):
    """A function of the client's that the model may ask to have called.

    Attributes:
        parameters: Shape of the arguments; or `parameters_json_schema`, not both.
        parameters_json_schema: The same as plain JSON Schema.
        response: Shape of the result; or `response_json_schema`, not both.
        response_json_schema: The same as plain JSON Schema.
        behavior: Whether the model waits for the result.
    """

    description: str | None = None
    name: str | None = None
    parameters: Schema | None = None
    parameters_json_schema: Any | None = None
    response: Schema | None = None
    response_json_schema: Any | None = None
    behavior: Behavior | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GoogleMapsPlaces(Message):
    """Grounding in places. Vertex only."""


@attrs.frozen(kw_only=True, repr=False)
class GoogleMapsRouting(Message):
    """Grounding in routes. Vertex only."""


@attrs.frozen(kw_only=True, repr=False)
class GoogleMapsGroundingTypes(Message):
    """What Google Maps grounds answers in. Vertex only."""

    places: GoogleMapsPlaces | None = None
    routing: GoogleMapsRouting | None = None


@attrs.frozen(kw_only=True, repr=False)
class GoogleMaps(Message):
    """Grounding in Google Maps.

    Attributes:
        auth_config: On the Gemini API only with its ``api_key``.
        grounding_types: Vertex only.
    """

    auth_config: AuthConfig | None = None
    enable_widget: bool | None = None
    grounding_types: GoogleMapsGroundingTypes | None = None


@attrs.frozen(kw_only=True, repr=False)
class WebSearch(Message):
    """Search of web pages; it has nothing to set."""


@attrs.frozen(kw_only=True, repr=False)
class ImageSearch(Message):
    """Search of images; it has nothing to set."""


@attrs.frozen(kw_only=True, repr=False)
class SearchTypes(Message):
    """What Google Search looks for."""

    web_search: WebSearch | None = None
    image_search: ImageSearch | None = None


@attrs.frozen(kw_only=True, repr=False)
class Interval(Message):
    """A span of time, from its start up to its end."""

    end_time: Timestamp | None = None
    start_time: Timestamp | None = None


@attrs.frozen(kw_only=True, repr=False)
class GoogleSearch(Message):
    """Grounding in Google Search.

    Attributes:
        blocking_confidence: Vertex only.
        exclude_domains: Vertex only.
        time_range_filter: Only results from this span.
    """

    search_types: SearchTypes | None = None
    blocking_confidence: PhishBlockThreshold | str | None = None
    exclude_domains: Sequence[str] | None = None
    time_range_filter: Interval | None = None


@attrs.frozen(kw_only=True, repr=False)
class GoogleSearchRetrieval(Message):
    """Grounding in Google Search, as older models know it."""

    dynamic_retrieval_config: DynamicRetrievalConfig | None = None


@attrs.frozen(kw_only=True, repr=False)
class StreamableHttpTransport(Message):
    """How an MCP server is reached over HTTP. Gemini API only.

    Attributes:
        headers: Sent with every request; they may hold credentials and stay out of every ``repr``.
        timeout: Seconds for one request.
        sse_read_timeout: Seconds without an event after which a stream is given up.
    """

    headers: Mapping[str, str] | None = attrs.field(default=None, repr=concealed)
    sse_read_timeout: Duration | None = None
    terminate_on_close: bool | None = None
    timeout: Duration | None = None
    url: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class McpServer(Message):
    """An MCP server that the Live API itself talks to. Gemini API only."""

    name: str | None = None
    streamable_http_transport: StreamableHttpTransport | None = None


@attrs.frozen(kw_only=True, repr=False)
class ToolCodeExecution(Message):
    """A tool that runs code which the model wrote; it has nothing to set."""


@attrs.frozen(kw_only=True, repr=False)
class ToolParallelAiSearch(Message):
    """Search with Parallel.ai, with an API key of the caller's. Vertex only."""

    api_key: str | None = attrs.field(default=None, repr=concealed)
    custom_configs: Mapping[str, Any] | None = attrs.field(default=None, repr=concealed)
    enable_data_retention: bool | None = None
    enable_zero_data_retention: bool | None = None


@attrs.frozen(kw_only=True, repr=False)
class UrlContext(Message):
    """A tool that reads the web pages which are mentioned; it has nothing to set."""


@attrs.frozen(kw_only=True, repr=False)
class ToolExaAiSearch(Message):
    """Search with Exa.ai, with an API key of the caller's. Vertex only."""

    api_key: str | None = attrs.field(default=None, repr=concealed)
    custom_configs: Mapping[str, Any] | None = attrs.field(default=None, repr=concealed)


@attrs.frozen(kw_only=True, repr=False)
class Tool(Message):
    """Things that the model may use; each member is one.

    Attributes:
        function_declarations: Functions of the client's, answered with a `ToolResponse`.
        retrieval: Vertex only.
        file_search: Gemini API only.
        mcp_servers: Gemini API only.
        enterprise_web_search: Vertex only.
        parallel_ai_search: Vertex only.
        exa_ai_search: Vertex only.
    """

    retrieval: Retrieval | None = None
    computer_use: ComputerUse | None = None
    file_search: FileSearch | None = None
    google_search: GoogleSearch | None = None
    google_maps: GoogleMaps | None = None
    code_execution: ToolCodeExecution | None = None
    enterprise_web_search: EnterpriseWebSearch | None = None
    function_declarations: Sequence[FunctionDeclaration] | None = None
    google_search_retrieval: GoogleSearchRetrieval | None = None
    parallel_ai_search: ToolParallelAiSearch | None = None
    url_context: UrlContext | None = None
    mcp_servers: Sequence[McpServer] | None = None
    exa_ai_search: ToolExaAiSearch | None = None
