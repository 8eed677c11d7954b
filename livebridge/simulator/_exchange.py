"""The client's half of one connection: what each message of it does to the conversation."""

from collections.abc import Callable
from typing import Final

import attrs

from livebridge import wire
from livebridge.simulator._brains import UserTurn
from livebridge.simulator._conversation import Conversation, text_of
from livebridge.simulator._hearing import Activity, Listener, Utterance, rate_of
from livebridge.simulator._records import (
    AudioHeard,
    ContentHeard,
    FrameHeard,
    Role,
    SignalHeard,
    Source,
    TextHeard,
    Turn,
    UpdateHeard,
)
from livebridge.simulator._refusals import (
    INVALID_ARGUMENT,
    NOT_IMPLEMENTED,
    SCHEDULING_UNSUPPORTED,
    RefusedError,
)
from livebridge.simulator._speaking import Speaker, pieces
from livebridge.simulator._turns import Output, TurnTaker
from livebridge.simulator._world import World

_ROLES: Final[dict[str, Role]] = {"model": "model", "system": "system"}
_IMAGE: Final = "image/"
_AUDIO: Final = "audio/"
_MODEL_RATE_HZ: Final = 24_000


class Exchange:
    """What a client says after its setup, applied to the conversation.

    Attributes:
        turns: The model's half.
        listener: The ear.
        video: Whether a video frame has come.
    """

    def __init__(self, world: World, conversation: Conversation, emit: Callable[[Output], None]) -> None:
        setup = conversation.setup
        config = setup.realtime_input_config or wire.RealtimeInputConfig()
        history = setup.history_config
        self.turns = TurnTaker(world, conversation, _speaker(world, conversation), emit)
        self.listener = Listener(config)
        self.video = False
        self._world = world
        self._conversation = conversation
        self._emit = emit
        self._now = 0.0
        self._interruptible = config.activity_handling != wire.ActivityHandling.NO_INTERRUPTION
        self._seeding = history is not None and bool(history.initial_history_in_client_content)
        self._written: list[str] = []
        self._guessed_at = 0.0

    @property
    def resumable(self) -> bool:
        """Whether a handle may be issued: nobody is in the middle of something."""
        return self.turns.resumable and not self.listener.open

    def take(self, message: wire.ClientMessage, *, now: float) -> None:
        """Apply a message.

        Raises:
            RefusedError: The Live API does not allow it here.
        """
        self._now = now
        members = (
            message.setup, message.client_content, message.realtime_input, message.tool_response,
            message.context_update,
        )  # fmt: skip
        if message.setup is not None or sum(member is not None for member in members) != 1:
            raise RefusedError(INVALID_ARGUMENT)
        if message.client_content is not None:
            self._client_content(message.client_content)
        if message.realtime_input is not None:
            self._realtime_input(message.realtime_input)
        if message.tool_response is not None:
            self._tool_response(message.tool_response)
        if message.context_update is not None:
            self._context_update(message.context_update)

    def _client_content(self, content: wire.ClientContent) -> None:
        seeding = self._seeding
        if self._conversation.profile.client_content == "seed" and not seeding:
            raise RefusedError(INVALID_ARGUMENT)
        complete = bool(content.turn_complete)
        self.turns.interrupt(now=self._now)
        self._conversation.hear(ContentHeard(turns=tuple(content.turns or ()), turn_complete=complete))
        for turn in content.turns or ():
            self._conversation.add(_turn(turn, "seed" if seeding else "content"))
        if complete and seeding:
            self._seeding = False
        elif complete:
            self._respond_to_content()

    def _respond_to_content(self) -> None:
        """Answer everything the user has said since the model spoke last."""
        unanswered: list[Turn] = []
        for turn in reversed(self._conversation.turns):
            if turn.role == "model":
                break
            if turn.role == "user":
                unanswered.insert(0, turn)
        cue = UserTurn(
            text="\n".join(turn.text for turn in unanswered if turn.text),
            source="content",
            audio_seconds=sum(turn.audio_seconds for turn in unanswered),
            images=sum(turn.images for turn in unanswered),
        )
        self.turns.begin(cue, now=self._now)

    def _tool_response(self, response: wire.ToolResponse) -> None:
        scheduled = any(one.scheduling is not None for one in response.function_responses or ())
        if scheduled and not self._conversation.profile.scheduling:
            raise RefusedError(SCHEDULING_UNSUPPORTED)
        self.turns.results(response, now=self._now)

    def _context_update(self, update: wire.ContextUpdate) -> None:
        if not self._conversation.profile.context_update:
            raise RefusedError(INVALID_ARGUMENT)
        self._conversation.hear(UpdateHeard(update=update))
        self._conversation.update(update)

    def _realtime_input(self, realtime: wire.RealtimeInput) -> None:
        self._seeding = False
        if realtime.activity_start is not None:
            self._conversation.hear(SignalHeard(name="activity_start"))
            self._hear(self.listener.start())
        # "all but the first are ignored", says the proto of the deprecated mediaChunks
        for blob in (realtime.audio, realtime.video, *(realtime.media_chunks or ())[:1]):
            if blob is not None:
                self._media(blob)
        if realtime.text is not None:
            self._text(realtime.text)
        if realtime.audio_stream_end:
            self._conversation.hear(SignalHeard(name="audio_stream_end"))
            for activity in self.listener.stream_end():
                self._hear(activity)
        if realtime.activity_end is not None:
            self._conversation.hear(SignalHeard(name="activity_end"))
            self._hear(self.listener.end())

    def _media(self, blob: wire.Blob) -> None:
        data = blob.data or b""
        if (blob.mime_type or "").lower().startswith(_IMAGE):
            self._conversation.hear(FrameHeard(mime_type=blob.mime_type or "", size=len(data)))
            self.listener.image()
            self.video = True
            return
        if self.turns.calls.blocking and not self._audio_allowed():
            raise RefusedError(NOT_IMPLEMENTED)
        rate = rate_of(blob.mime_type)
        kept = data if self._world.settings.keep_audio else b""
        self._conversation.hear(AudioHeard(size=len(data), rate=rate, pcm=kept))
        for activity in self.listener.audio(data, rate=rate):
            self._hear(activity)
        self._guess_speech()

    def _guess_speech(self) -> None:
        """While somebody speaks, say now and then what has been understood so far."""
        every = self._world.settings.interim_transcripts
        if every is None or self._conversation.setup.input_audio_transcription is None:
            return
        speech = self.listener.so_far
        if speech is None:
            self._guessed_at = 0.0
        elif speech.seconds >= self._guessed_at + every:
            self._guessed_at = speech.seconds
            text = self._world.recordings.guess(speech.pcm, rate=speech.rate)
            if not text:
                return
            guess = wire.Transcription(text=text)
            config = self._conversation.setup.realtime_input_config
            if config is not None and config.interim_transcript_timestamp_enabled:
                start = max(0.0, speech.offset - speech.seconds)
                guess = attrs.evolve(guess, start_offset=start, end_offset=speech.offset)
            content = wire.ServerContent(interim_input_transcription=guess)
            self._emit(wire.ServerMessage(server_content=content))

    def _audio_allowed(self) -> bool:
        rule = self._world.settings.audio_during_tool
        if rule == "model":
            return self._conversation.profile.audio_during_blocking_call
        return rule == "accept"

    def _text(self, text: str) -> None:
        self._conversation.hear(TextHeard(text=text))
        if self.listener.open:
            self._written.append(text)
            return
        self._interrupt()
        self._conversation.add(Turn(role="user", text=text, source="text"))
        self.turns.begin(UserTurn(text=text, source="text"), now=self._now)

    def _interrupt(self) -> None:
        if self._interruptible:
            self.turns.interrupt(now=self._now)

    def _hear(self, activity: Activity) -> None:
        ended = isinstance(activity, Utterance)
        if self._conversation.setup.explicit_vad_signal:
            self._signal(activity, ended=ended)
        if not isinstance(activity, Utterance):
            self._interrupt()
            return
        speech = activity.speech
        words, self._written = self._written, []
        if speech.pcm:
            recognised = self._world.recordings.recognise(speech.pcm, rate=speech.rate)
            self._transcribe(recognised)
            words.append(recognised)
        text = " ".join(words)
        turn = Turn(
            role="user", text=text, source="speech", audio_seconds=activity.seconds, images=activity.images
        )
        self._conversation.add(turn)
        cue = UserTurn(text=text, source="speech", audio_seconds=activity.seconds, images=activity.images)
        self.turns.begin(cue, now=self._now)

    def _signal(self, activity: Activity, *, ended: bool) -> None:
        offset = activity.speech.offset if isinstance(activity, Utterance) else activity.offset
        kind = wire.VoiceActivityType.ACTIVITY_END if ended else wire.VoiceActivityType.ACTIVITY_START
        self._emit(wire.ServerMessage(voice_activity=wire.VoiceActivity(type=kind, audio_offset=offset)))

    def _transcribe(self, text: str) -> None:
        if self._conversation.setup.input_audio_transcription is not None:
            for piece in pieces(text):
                content = wire.ServerContent(input_transcription=wire.Transcription(text=piece))
                self._emit(wire.ServerMessage(server_content=content))


def _speaker(world: World, conversation: Conversation) -> Speaker:
    setup, settings = conversation.setup, world.settings
    config = setup.generation_config or wire.GenerationConfig()
    modality = next(iter(config.response_modalities or ()), conversation.profile.modalities[0])
    thinking = config.thinking_config
    return Speaker(
        voice=settings.voice,
        audio=modality == wire.Modality.AUDIO,
        vertex=conversation.vertex,
        transcribe=setup.output_audio_transcription is not None,
        thoughts=thinking is not None and bool(thinking.include_thoughts),
        chunk_bytes=settings.audio_chunk_bytes,
    )


def _turn(content: wire.Content, source: Source) -> Turn:
    """A turn of ``clientContent`` as an entry of the context."""
    images = 0
    seconds = 0.0
    names: list[str] = []
    for part in content.parts or ():
        blob = part.inline_data
        if blob is not None and (blob.mime_type or "").startswith(_IMAGE):
            images += 1
        elif blob is not None and (blob.mime_type or "").startswith(_AUDIO):
            seconds += len(blob.data or b"") / 2 / _MODEL_RATE_HZ
        functions = (part.function_call, part.function_response)
        names += [function.name for function in functions if function is not None and function.name]
    return Turn(
        role=_ROLES.get(content.role or "", "user"),
        text=text_of(content),
        source=source,
        audio_seconds=seconds,
        images=images,
        names=tuple(names),
    )
