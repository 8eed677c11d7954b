"""Retrieval tools and how they prove who they are: data stores, RAG corpora, external endpoints."""

from collections.abc import Sequence

import attrs

from livebridge.wire._base import Message, concealed
from livebridge.wire._config_enums import ApiSpec, AuthType, HttpElementLocation


@attrs.frozen(kw_only=True, repr=False)
class ApiAuthApiKeyConfig(Message):
    """An API key, by its value or by its version in Secret Manager. Vertex only."""

    api_key_secret_version: str | None = None
    api_key_string: str | None = attrs.field(default=None, repr=concealed)


@attrs.frozen(kw_only=True, repr=False)
class ApiAuth(Message):
    """How an external endpoint is authenticated with, in its older form. Vertex only."""

    api_key_config: ApiAuthApiKeyConfig | None = None


@attrs.frozen(kw_only=True, repr=False)
class ApiKeyConfig(Message):
    """An API key and where in a request it goes. Vertex only.

    Attributes:
        api_key_secret: Resource name of the key in Secret Manager.
        api_key_string: The key itself.
        name: Name of the query parameter, header or cookie.
    """

    api_key_secret: str | None = attrs.field(default=None, repr=concealed)
    api_key_string: str | None = attrs.field(default=None, repr=concealed)
    http_element_location: HttpElementLocation | str | None = None
    name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class AuthConfigGoogleServiceAccountConfig(Message):
    """Authentication with a Google service account. Vertex only."""

    service_account: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class AuthConfigHttpBasicAuthConfig(Message):
    """HTTP basic authentication. Vertex only.

    Attributes:
        credential_secret: Resource name of the credentials in Secret Manager.
    """

    credential_secret: str | None = attrs.field(default=None, repr=concealed)


@attrs.frozen(kw_only=True, repr=False)
class AuthConfigOauthConfig(Message):
    """Authentication with an OAuth access token. Vertex only."""

    access_token: str | None = attrs.field(default=None, repr=concealed)
    service_account: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class AuthConfigOidcConfig(Message):
    """Authentication with an OpenID Connect identity token. Vertex only."""

    id_token: str | None = attrs.field(default=None, repr=concealed)
    service_account: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class AuthConfig(Message):
    """How a tool proves to its endpoint who it is.

    Attributes:
        api_key: The one member that the Gemini API takes; all others are for Vertex.
    """

    api_key: str | None = attrs.field(default=None, repr=concealed)
    api_key_config: ApiKeyConfig | None = None
    auth_type: AuthType | str | None = None
    google_service_account_config: AuthConfigGoogleServiceAccountConfig | None = None
    http_basic_auth_config: AuthConfigHttpBasicAuthConfig | None = None
    oauth_config: AuthConfigOauthConfig | None = None
    oidc_config: AuthConfigOidcConfig | None = None


@attrs.frozen(kw_only=True, repr=False)
class ExternalApiElasticSearchParams(Message):
    """How an Elasticsearch index is asked. Vertex only."""

    index: str | None = None
    num_hits: int | None = None
    search_template: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class ExternalApiSimpleSearchParams(Message):
    """The simple search protocol, which has nothing to set. Vertex only."""


@attrs.frozen(kw_only=True, repr=False)
class ExternalApi(Message):
    """A search endpoint of the caller's own. Vertex only."""

    api_auth: ApiAuth | None = None
    api_spec: ApiSpec | str | None = None
    auth_config: AuthConfig | None = None
    elastic_search_params: ExternalApiElasticSearchParams | None = None
    endpoint: str | None = None
    simple_search_params: ExternalApiSimpleSearchParams | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagRetrievalConfigFilter(Message):
    """Which chunks of a corpus are considered. Vertex only.

    Attributes:
        vector_distance_threshold: Chunks farther away than this are left out.
        vector_similarity_threshold: Chunks less similar than this are left out.
    """

    metadata_filter: str | None = None
    vector_distance_threshold: float | None = None
    vector_similarity_threshold: float | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagRetrievalConfigHybridSearch(Message):
    """How search by meaning and search by words are mixed. Vertex only.

    Attributes:
        alpha: Weight of the search by meaning, 0 to 1.
    """

    alpha: float | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagRetrievalConfigRankingLlmRanker(Message):
    """A language model that orders what was found. Vertex only."""

    model_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagRetrievalConfigRankingRankService(Message):
    """A ranking service that orders what was found. Vertex only."""

    model_name: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagRetrievalConfigRanking(Message):
    """What orders the chunks that were found. Vertex only."""

    llm_ranker: RagRetrievalConfigRankingLlmRanker | None = None
    rank_service: RagRetrievalConfigRankingRankService | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagRetrievalConfig(Message):
    """How a corpus is searched. Vertex only.

    Attributes:
        top_k: How many chunks to take.
    """

    filter: RagRetrievalConfigFilter | None = None
    hybrid_search: RagRetrievalConfigHybridSearch | None = None
    ranking: RagRetrievalConfigRanking | None = None
    top_k: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class VertexAISearchDataStoreSpec(Message):
    """One data store to search, and with which filter. Vertex only."""

    data_store: str | None = None
    filter: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class VertexAISearch(Message):
    """Retrieval from Vertex AI Search. Vertex only."""

    data_store_specs: Sequence[VertexAISearchDataStoreSpec] | None = None
    datastore: str | None = None
    engine: str | None = None
    filter: str | None = None
    max_results: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class VertexRagStoreRagResource(Message):
    """One corpus, or some files of it. Vertex only."""

    rag_corpus: str | None = None
    rag_file_ids: Sequence[str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class VertexRagStore(Message):
    """Retrieval from a RAG corpus. Vertex only.

    Attributes:
        store_context: Whether the conversation itself is remembered in the corpus; in live sessions only.
        similarity_top_k: How many chunks to take.
        vector_distance_threshold: Chunks farther away than this are left out.
    """

    rag_corpora: Sequence[str] | None = None
    rag_resources: Sequence[VertexRagStoreRagResource] | None = None
    rag_retrieval_config: RagRetrievalConfig | None = None
    similarity_top_k: int | None = None
    store_context: bool | None = None
    vector_distance_threshold: float | None = None


@attrs.frozen(kw_only=True, repr=False)
class Retrieval(Message):
    """A tool that looks things up in stores of the caller's. Vertex only."""

    disable_attribution: bool | None = None
    external_api: ExternalApi | None = None
    vertex_ai_search: VertexAISearch | None = None
    vertex_rag_store: VertexRagStore | None = None
