"""A client of the pure model: it talks to a dialogue without a socket and moves the clock by hand."""

import json

import pytest
import trio_websocket

from livebridge import wire
from livebridge.simulator import TEST_API_KEY, LiveSimulator, ToneVoice
from livebridge.simulator._dialogue import Dialogue
from livebridge.simulator._refusals import Hangup
from livebridge.simulator._settings import Settings
from livebridge.simulator._world import Caller, World

TEXT_MODEL = "models/gemini-live-2.5-flash-preview"
AUDIO_MODEL = "models/gemini-2.5-flash-native-audio-latest"
PUBLISHER = "projects/p/locations/l/publishers/google/"


class Client:
    """Sends plain JSON to a `Dialogue` and collects what comes back."""

    def __init__(self, world, *, vertex=False, version="v1beta", now=0.0):
        world.connections = getattr(world, "connections", 0) + 1
        self.world = world
        self.vertex = vertex
        self.now = now
        self.dialogue = Dialogue(
            world, Caller(number=world.connections, vertex=vertex, version=version), now=now
        )
        self.received = []
        self.hangup = None

    @property
    def conversation(self):
        return self.dialogue.conversation

    def send(self, plain):
        """Send a message, and let happen what happens at once."""
        self.dialogue.receive(plain, now=self.now)
        return self.run()

    def run(self):
        """Let happen what is due; what came since the last call."""
        before = len(self.received)
        while True:
            self._take()
            deadline = self.dialogue.deadline
            if deadline is None or deadline > self.now:
                return self.received[before:]
            self.dialogue.advance(self.now)

    def pass_time(self, seconds):
        """Move the clock on, stopping at every deadline on the way."""
        before = len(self.received)
        end = self.now + seconds
        self.run()
        while self.dialogue.deadline is not None and self.dialogue.deadline <= end:
            self.now = max(self.now, self.dialogue.deadline)
            self.run()
        self.now = end
        return self.received[before:]

    def _take(self):
        for output in self.dialogue.take():
            if isinstance(output, Hangup):
                self.hangup = (output.code, output.reason)
            else:
                self.received.append(json.loads(wire.encode_server(output, vertex=self.vertex)))

    def setup(self, model=TEXT_MODEL, **members):
        if self.vertex:
            model = PUBLISHER + model
        return self.send({"setup": {"model": model, **members}})

    def say(self, text, *, complete=True):
        turn = {"role": "user", "parts": [{"text": text}]}
        return self.send({"clientContent": {"turns": [turn], "turnComplete": complete}})

    def write(self, text):
        return self.send({"realtimeInput": {"text": text}})

    def play(self, pcm, *, rate=16000, chunk=640):
        messages = []
        for start in range(0, len(pcm), chunk):
            data = wire.encode_base64(pcm[start : start + chunk])
            blob = {"data": data, "mimeType": f"audio/pcm;rate={rate}"}
            messages += self.send({"realtimeInput": {"audio": blob}})
        return messages

    def answer(self, *responses):
        return self.send({"toolResponse": {"functionResponses": list(responses)}})

    def close(self):
        self.dialogue.close(now=self.now)


class Reader:
    """Ways to look at a list of plain server messages."""

    @staticmethod
    def contents(messages):
        return [message["serverContent"] for message in messages if "serverContent" in message]

    @staticmethod
    def parts(messages):
        return [
            part
            for content in Reader.contents(messages)
            for part in content.get("modelTurn", {}).get("parts", [])
        ]

    @staticmethod
    def text(messages):
        return "".join(
            part["text"] for part in Reader.parts(messages) if "text" in part and not part.get("thought")
        )

    @staticmethod
    def sound(messages):
        return b"".join(
            wire.decode_base64(part["inlineData"]["data"])
            for part in Reader.parts(messages)
            if "inlineData" in part
        )

    @staticmethod
    def transcript(messages, direction):
        key = f"{direction}Transcription"
        return "".join(content[key]["text"] for content in Reader.contents(messages) if key in content)

    @staticmethod
    def flags(messages):
        """The order of the marks of a turn."""
        names = ("interrupted", "generationComplete", "turnComplete")
        return [name for content in Reader.contents(messages) for name in names if content.get(name)]

    @staticmethod
    def calls(messages):
        return [call for message in messages for call in message.get("toolCall", {}).get("functionCalls", [])]

    @staticmethod
    def cancelled(messages):
        return [one for message in messages for one in message.get("toolCallCancellation", {}).get("ids", [])]

    @staticmethod
    def updates(messages):
        return [
            message["sessionResumptionUpdate"] for message in messages if "sessionResumptionUpdate" in message
        ]

    @staticmethod
    def handle(messages):
        return Reader.updates(messages)[-1]["newHandle"]


@pytest.fixture
def read():
    return Reader


@pytest.fixture
def make_world():
    def make(**settings):
        return World(Settings(**{"seed": 1, **settings}))

    return make


@pytest.fixture
def dial(make_world):
    """A client of a world, made for it if none is given."""

    def start(world=None, *, vertex=False, version="v1beta", now=0.0, **settings):
        return Client(world or make_world(**settings), vertex=vertex, version=version, now=now)

    return start


@pytest.fixture
def speech():
    """What a microphone records of somebody who says something and falls silent."""

    def make(text, *, silence=1.0, rate=16000):
        return ToneVoice(rate=rate).speak(text) + bytes(2 * int(rate * silence))

    return make


@pytest.fixture
def tools():
    """Declarations of functions without arguments, for a setup."""

    def make(*names, behavior=None):
        extra = {} if behavior is None else {"behavior": behavior}
        return [{"functionDeclarations": [{"name": name, **extra} for name in names]}]

    return make


class WireClient:
    """A bare WebSocket client."""

    def __init__(self, socket):
        self.socket = socket

    async def send(self, plain):
        await self.socket.send_message(json.dumps(plain))

    async def receive(self):
        return json.loads(await self.socket.get_message())

    async def setup(self, model=TEXT_MODEL, **members):
        await self.send({"setup": {"model": model, **members}})
        return await self.receive()

    async def say(self, text):
        turn = {"role": "user", "parts": [{"text": text}]}
        await self.send({"clientContent": {"turns": [turn], "turnComplete": True}})

    async def until(self, key):
        """Everything up to the message that has the member, or whose content has it."""
        messages = []
        while True:
            messages.append(await self.receive())
            if key in messages[-1] or key in messages[-1].get("serverContent", {}):
                return messages

    async def until_close(self):
        """Code and reason of the close."""
        try:
            while True:
                await self.socket.get_message()
        except trio_websocket.ConnectionClosed as closed:
            return closed.reason.code, closed.reason.reason


GEMINI_PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


@pytest.fixture
def gemini_path():
    return GEMINI_PATH


@pytest.fixture
def connect(nursery):
    """Opens WebSockets to a simulator that the test closes by closing the simulator."""

    async def open_client(simulator, path=GEMINI_PATH, headers=(("x-goog-api-key", TEST_API_KEY),)):
        url = f"ws://{simulator.host}:{simulator.port}{path}"
        socket = await trio_websocket.connect_websocket_url(
            nursery, url, extra_headers=[(name.encode(), value.encode()) for name, value in headers]
        )
        return WireClient(socket)

    return open_client


@pytest.fixture
def refused(gemini_path):
    """Knocks at a simulator that does not open, and returns the refusal."""

    async def knock(simulator, headers=(("x-goog-api-key", TEST_API_KEY),)):
        url = f"ws://{simulator.host}:{simulator.port}{gemini_path}"
        extra = [(name.encode(), value.encode()) for name, value in headers]
        with pytest.raises(trio_websocket.ConnectionRejected) as caught:
            async with trio_websocket.open_websocket_url(url, extra_headers=extra):
                pass
        return caught.value

    return knock


@pytest.fixture
def serve():
    return LiveSimulator.serve
