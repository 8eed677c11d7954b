"""``livebridge demo``: a spoken conversation with a simulator on this machine, in a quarter of a minute."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from importlib import resources
from pathlib import Path
from typing import Final

import trio

from livebridge.cli import _crash
from livebridge.cli._audio import RATE_HZ, Sound, read_sound, write_wav
from livebridge.cli._concierge import Concierge
from livebridge.cli._console import Console, wants_color
from livebridge.cli._interrupt import run_until_interrupted
from livebridge.cli._stage import WEATHER_TOOL, Stage
from livebridge.errors import ConfigError
from livebridge.session import Session
from livebridge.simulator import LiveSimulator, ToneVoice

MODEL: Final = "gemini-live-2.5-flash-native-audio"
REPLY_NAME: Final = "livebridge-reply.wav"
SECOND_QUESTION: Final = "What did I say before?"

LONGEST_SECONDS: Final = 10.0
"""Of a longer recording only the beginning is played, so that the demo ends in half a minute."""

CHUNK_BYTES: Final = 1280
"""40 ms of sound: what a microphone delivers at a time."""

SILENCE_SECONDS: Final = 1.0
"""How long the microphone stays open after the recording at most: detectors need silence to hear an end."""

NOTICE_SECONDS: Final = 8.0
"""How long before it hangs up the server says so; longer than an answer takes."""

ALL_SECONDS: Final = 28.0
"""No step of the demo can wait for ever."""


def run(arguments: argparse.Namespace) -> int:
    """Run the command.

    Raises:
        ConfigError: The recording cannot be read, or the reply cannot be written.
        LivebridgeError: The session failed.
    """
    if arguments.crash:
        console = Console(color=wants_color(sys.stdout, arguments.color))
        return run_until_interrupted(lambda: _crash.play(console))
    sound, words = _recording(arguments.audio)
    out = _reply_path(arguments.out)
    console = Console(color=wants_color(sys.stdout, arguments.color))
    return run_until_interrupted(lambda: _play(console, sound, words, out))


def _recording(path: Path | None) -> tuple[Sound, str | None]:
    """What to play, and what is said in it: the bundled question is known, a user's recording is not."""
    if path is not None:
        return read_sound(path, longest=LONGEST_SECONDS), None
    data = resources.files("livebridge.cli") / "data"
    with resources.as_file(data / "question.wav") as bundled:
        sound = read_sound(bundled, longest=LONGEST_SECONDS)
    return sound, (data / "question.txt").read_text(encoding="utf-8").strip()


def _reply_path(out: Path | None) -> Path:
    """Where the reply will be written, before anything is played.

    Raises:
        ConfigError: It cannot be written there.
    """
    if out is None:
        folder = Path.cwd() if os.access(Path.cwd(), os.W_OK) else Path(tempfile.gettempdir())
        return folder / REPLY_NAME
    if out.is_dir():
        raise ConfigError(f"--out {out} is a directory; expected the name of a file")
    if not out.parent.is_dir():
        raise ConfigError(f"--out {out}: there is no directory {out.parent}")
    if not os.access(out if out.exists() else out.parent, os.W_OK):
        raise ConfigError(f"--out {out} cannot be written")
    return out


async def _play(console: Console, sound: Sound, words: str | None, out: Path) -> int:
    stage = Stage(console)
    async with LiveSimulator.serve(brain=Concierge(), pace="real") as simulator:
        if words is not None:
            simulator.recordings.add(sound.pcm, words, rate=RATE_HZ)
        _introduce(console, simulator, sound)
        with trio.move_on_after(ALL_SECONDS) as scope:
            await _converse(console, stage, simulator, sound)
    if scope.cancelled_caught:
        console.row("error", f"the demo was not over after {ALL_SECONDS:.0f} s and was stopped")
        return 1
    _report(console, stage, out)
    return 0


def _introduce(console: Console, simulator: LiveSimulator, sound: Sound) -> None:
    console.line(
        console.strong("livebridge demo: a conversation over a WebSocket, without a key or a network")
    )
    console.line(f"A simulated Live API server listens on {simulator.url}. It knows the bundled recording by")
    console.line("heart and cannot understand other speech; all else happens as with the real one.")
    if sound.cut_from is not None:
        console.line(f"Of {sound.name} ({sound.cut_from:.1f} s) the first {sound.seconds:.1f} s are played.")
    console.line()


async def _converse(console: Console, stage: Stage, simulator: LiveSimulator, sound: Sound) -> None:
    async with Session.start(
        model=MODEL,
        response_modalities=["AUDIO"],
        input_audio_transcription={},
        output_audio_transcription={},
        explicit_vad_signal=True,
        tools=[WEATHER_TOOL],
        **stage.callbacks,
        **simulator.vertex_connection,
    ) as session:
        console.row("you", f"{sound.name}, {sound.seconds:.1f} s, played at its own pace")
        await session.send_media_stream(_microphone(sound, lambda: stage.ended == stage.begun > 0))
        stage.listening = False
        await session.send_realtime_input(audio_stream_end=True)
        if await _heard(console, stage):
            await stage.answering.wait()
            # on the server's side: while the model speaks, say that this connection will end
            simulator.connections[-1].go_away(NOTICE_SECONDS)
            await stage.until(lambda: len(stage.turns) >= stage.begun)
            await stage.resumed.wait()
        console.row("you", f'(typed) "{SECOND_QUESTION}"')
        await session.ask(SECOND_QUESTION)


async def _microphone(sound: Sound, heard: Callable[[], bool]) -> AsyncIterator[bytes]:
    """The recording in pieces, then silence until the server has heard the end of speech."""
    for start in range(0, len(sound.pcm), CHUNK_BYTES):
        yield sound.pcm[start : start + CHUNK_BYTES]
    for _ in range(round(SILENCE_SECONDS * 2 * RATE_HZ / CHUNK_BYTES)):
        if heard():
            return
        yield bytes(CHUNK_BYTES)


async def _heard(console: Console, stage: Stage) -> bool:
    """Whether the server has heard speech; it may still be about to say so."""
    with trio.move_on_after(SILENCE_SECONDS):
        await stage.until(lambda: stage.begun > 0)
        return True
    console.row("activity", "no speech was heard in this recording")
    return False


def _report(console: Console, stage: Stage, out: Path) -> None:
    pcm = bytes(stage.reply)
    console.line()
    if not pcm:
        console.line("The model said nothing.")
        return
    write_wav(out, pcm, rate=stage.reply_rate)
    readings = ToneVoice.readings(pcm, rate=stage.reply_rate)
    whole = sum(reading.complete and reading.intact for reading in readings)
    seconds = len(pcm) / 2 / stage.reply_rate
    console.line("The simulator's voice hides its words in chords. Read back from the reply, with")
    console.line(f"{whole} of {len(readings)} utterances whole (nothing lost, doubled or out of order):")
    for reading in readings:
        console.line(f"    {reading.text}")
    console.line(f"Reply, {seconds:.1f} s at {stage.reply_rate // 1000} kHz: {console.strong(str(out))}")
