"""Where an answer comes from: web pages, maps, documents, and which words rest on which of them."""

from collections.abc import Sequence

import attrs

from livebridge.wire._base import Duration, Message, payload_size
from livebridge.wire._content_enums import UrlRetrievalStatus


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkImage(Message):
    """An image that an answer rests on."""

    source_uri: str | None = None
    image_uri: str | None = None
    title: str | None = None
    domain: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution(Message):
    """Who wrote a review on Google Maps."""

    display_name: str | None = None
    photo_uri: str | None = None
    uri: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkMapsPlaceAnswerSourcesReviewSnippet(Message):
    """A piece of a review on Google Maps."""

    author_attribution: GroundingChunkMapsPlaceAnswerSourcesAuthorAttribution | None = None
    flag_content_uri: str | None = None
    google_maps_uri: str | None = None
    relative_publish_time_description: str | None = None
    review: str | None = None
    review_id: str | None = None
    title: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkMapsPlaceAnswerSources(Message):
    """Reviews that an answer about a place rests on."""

    review_snippet: Sequence[GroundingChunkMapsPlaceAnswerSourcesReviewSnippet] | None = None
    flag_content_uri: str | None = None
    review_snippets: Sequence[GroundingChunkMapsPlaceAnswerSourcesReviewSnippet] | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkMapsRoute(Message):
    """A route on Google Maps.

    Attributes:
        duration: Seconds.
        encoded_polyline: Its course, as an encoded polyline.
    """

    distance_meters: int | None = None
    duration: Duration | None = None
    encoded_polyline: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkMaps(Message):
    """A place or route on Google Maps that an answer rests on."""

    place_answer_sources: GroundingChunkMapsPlaceAnswerSources | None = None
    place_id: str | None = None
    text: str | None = None
    title: str | None = None
    uri: str | None = None
    route: GroundingChunkMapsRoute | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagChunkPageSpan(Message):
    """From which page to which a chunk reaches, counted from 1."""

    first_page: int | None = None
    last_page: int | None = None


@attrs.frozen(kw_only=True, repr=False)
class RagChunk(Message):
    """A piece of a document in a corpus."""

    page_span: RagChunkPageSpan | None = None
    text: str | None = None
    chunk_id: str | None = None
    file_id: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkStringList(Message):
    """Several texts as one value."""

    values: Sequence[str] | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkCustomMetadata(Message):
    """One key and value that the caller attached to a document."""

    key: str | None = None
    numeric_value: float | None = None
    string_list_value: GroundingChunkStringList | None = None
    string_value: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkRetrievedContext(Message):
    """A piece of a document that an answer rests on."""

    document_name: str | None = None
    rag_chunk: RagChunk | None = None
    text: str | None = None
    title: str | None = None
    uri: str | None = None
    custom_metadata: Sequence[GroundingChunkCustomMetadata] | None = None
    file_search_store: str | None = None
    page_number: int | None = None
    media_id: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunkWeb(Message):
    """A web page that an answer rests on."""

    domain: str | None = None
    title: str | None = None
    uri: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingChunk(Message):
    """One source of an answer; one member is set."""

    image: GroundingChunkImage | None = None
    maps: GroundingChunkMaps | None = None
    retrieved_context: GroundingChunkRetrievedContext | None = None
    web: GroundingChunkWeb | None = None


@attrs.frozen(kw_only=True, repr=False)
class Segment(Message):
    """A stretch of an answer: which part, and from which byte up to which, in UTF-8."""

    start_index: int | None = None
    end_index: int | None = None
    part_index: int | None = None
    text: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingSupport(Message):
    """Which sources a stretch of an answer rests on.

    Attributes:
        confidence_scores: One for each source, 0 to 1.
        grounding_chunk_indices: Indices into ``GroundingMetadata.grounding_chunks``.
    """

    confidence_scores: Sequence[float] | None = None
    grounding_chunk_indices: Sequence[int] | None = None
    segment: Segment | None = None
    rendered_parts: Sequence[int] | None = None


@attrs.frozen(kw_only=True, repr=False)
class RetrievalMetadata(Message):
    """What retrieval says about itself.

    Attributes:
        google_search_dynamic_retrieval_score: How likely, 0 to 1, a search was to help.
    """

    google_search_dynamic_retrieval_score: float | None = None


@attrs.frozen(kw_only=True, repr=False)
class SearchEntryPoint(Message):
    """What must be shown to the user along with an answer from Google Search.

    Attributes:
        rendered_content: HTML and CSS.
        sdk_blob: JSON of search terms and URLs, as bytes.
    """

    rendered_content: str | None = None
    sdk_blob: bytes | None = attrs.field(default=None, repr=payload_size)


@attrs.frozen(kw_only=True, repr=False)
class GroundingMetadataSourceFlaggingUri(Message):
    """Where a user can report a source."""

    flag_content_uri: str | None = None
    source_id: str | None = None


@attrs.frozen(kw_only=True, repr=False)
class GroundingMetadata(Message):
    """What an answer rests on, and which searches led to it."""

    image_search_queries: Sequence[str] | None = None
    grounding_chunks: Sequence[GroundingChunk] | None = None
    grounding_supports: Sequence[GroundingSupport] | None = None
    retrieval_metadata: RetrievalMetadata | None = None
    search_entry_point: SearchEntryPoint | None = None
    web_search_queries: Sequence[str] | None = None
    google_maps_widget_context_token: str | None = None
    retrieval_queries: Sequence[str] | None = None
    source_flagging_uris: Sequence[GroundingMetadataSourceFlaggingUri] | None = None


@attrs.frozen(kw_only=True, repr=False)
class UrlMetadata(Message):
    """What came of fetching one URL."""

    retrieved_url: str | None = None
    url_retrieval_status: UrlRetrievalStatus | str | None = None


@attrs.frozen(kw_only=True, repr=False)
class UrlContextMetadata(Message):
    """What came of fetching the URLs that were mentioned."""

    url_metadata: Sequence[UrlMetadata] | None = None
