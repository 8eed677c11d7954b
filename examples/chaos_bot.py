"""A bot that lives through chaos and keeps its conversation.

    python examples/chaos_bot.py

The bot is told names while its connection is refused, reset, closed and told to go away by a simulator that
misbehaves on purpose. In the end the model knows every name, in order: nothing was lost and nothing came twice.
The real API does not misbehave on command, so ``--simulate`` makes no difference here.
"""

import random

import trio

from livebridge import Handler, Session
from livebridge.protocol import ReconnectingInfo, ResumedInfo, Turn
from livebridge.simulator import Fault, Faults, LiveSimulator, RefuseUpgrade

NAMES = ("Ada", "Grace", "Barbara", "Radia", "Frances", "Margaret", "Karen", "Shafi", "Hedy", "Joan")
MODEL = "gemini-live-2.5-flash"
FAULTS = Faults(Fault(what=RefuseUpgrade(status=503), probability=0.3, times=0), seed=1)


class Bot(Handler):
    def __init__(self) -> None:
        self.reconnects = 0
        self.answered = trio.Event()

    def on_reconnecting(self, info: ReconnectingInfo) -> None:
        print(f"  reconnecting: {info.error or 'as planned'}")

    def on_resumed(self, info: ResumedInfo) -> None:
        self.reconnects += 1
        print(f"  {info.continuity} after {info.gap:.2f} s, {info.replayed} messages written again")

    def on_turn_complete(self, turn: Turn) -> None:
        print(f"model: {turn.text or '(interrupted)'}")
        if turn.text == f"Your name is {NAMES[-1]}.":
            self.answered.set()


async def misbehave(simulator: LiveSimulator) -> None:
    chance = random.Random(1)  # noqa: S311
    while True:
        await trio.sleep(chance.uniform(0.2, 0.6))
        for connection in simulator.connections:
            match chance.choice(["reset", "close", "go away", "stall"]):
                case "reset":
                    connection.drop()
                case "close":
                    connection.close(1011, "Internal error encountered.")
                case "go away":
                    connection.go_away(0.4)
                case "stall":
                    connection.stall()
                    try:
                        await trio.sleep(0.2)
                    finally:
                        connection.resume()


async def main() -> None:
    bot = Bot()
    async with (
        LiveSimulator.serve(faults=FAULTS, first_handle=True) as simulator,
        Session.start(
            bot,
            model=MODEL,
            response_modalities=["TEXT"],
            session_resumption={"transparent": True},
            connect_attempts=10,
            **simulator.vertex_connection,
        ) as session,
    ):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(misbehave, simulator)
            for name in NAMES:
                await session.send_client_content(f"My name is {name}.")
                await trio.sleep(0.4)
            nursery.cancel_scope.cancel()
        await session.send_client_content("What is my name?")
        with trio.fail_after(30):
            await bot.answered.wait()
        *heard, _ = simulator.conversations[-1].heard.user_texts
    assert heard == [f"My name is {name}." for name in NAMES]
    print(f"{bot.reconnects} times reconnected; the model heard all {len(heard)} names, once and in order")


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        pass
