"""Sessions for programs that do not run on trio: threads, Flask, Django, scripts, asyncio.

A `LiveBridgeThread` runs trio in one thread of its own, with any number of sessions in it. The other threads talk
to them through blocking calls::

    from livebridge import LiveBridgeThread

    with LiveBridgeThread() as bridge:
        session = bridge.start(model="gemini-3.1-flash-live-preview", on_transcription=show)
        turn = session.ask("What is machine learning?", timeout=30)
        print(turn.text)

::

    your threads                              the bridge's thread
    session.ask(…) ─── a task in trio ──────▶ Session ══ WebSocket ══▶ Live API
         ◀──────────── result or error ─────────┘ │
    your queue, your lock ◀───────────────────────┘ your callbacks

A `BlockingSession` has the methods of `livebridge.Session` with the same arguments, results and errors. Each can be
called, which blocks, or submitted, which gives a `concurrent.futures.Future`. So it goes with asyncio::

    session = await asyncio.wrap_future(bridge.start.submit(model=MODEL))
    turn = await asyncio.wrap_future(session.ask.submit("Hello", timeout=30))

`BlockingSession.within` bounds any call: ``session.within(5).receive()``. What else is async in livebridge, or in
trio, runs by ``bridge.run(function, …)`` and ``bridge.submit(function, …)``; an async context manager by
``with bridge.hold(manager) as value``.

Callbacks run in the bridge's thread, where all sessions live: a callback that blocks holds up all of them. Let it
put what it gets into a `queue.Queue`, or move it to a thread with `in_thread`, where it may block and use
`livebridge.threads.current_session`. Synchronous tools run in threads anyway.

In a web application, make one bridge at import time and never close it. Its thread starts with the first use, so
servers that fork their workers get one for each; a session belongs to the process that started it. At the end of
the program sessions are closed in order, for ten seconds at most::

    bridge = LiveBridgeThread()

    @app.post("/ask")
    def ask():
        with bridge.start(model=MODEL, output_audio_transcription={}) as session:
            return session.ask(request.json["question"], timeout=30).text

Guarantees:

* Errors arrive as the async methods raise them, in no group and no wrapping. Once the bridge is closed calls raise
  `SessionClosedError`, those that wait as well; attributes, `BlockingSession.close` and
  `BlockingSession.statistics` go on working.
* A blocking call in the trio thread, which would wait for itself, raises `CallSelfError`; so do calls in a callback
  moved by `in_thread` that would wait for what comes after it.
* Ctrl-C ends a blocking call and cancels what it did; leaving the ``with`` block by it closes sessions without a
  drain. Cancelling a future, or the asyncio one around it, cancels the call as well.
* A session that fails ends itself, and no other one. The next call to it raises `SessionFailedError`, as does the
  end of its ``with`` block; ``on_error`` and ``on_close`` have told before.

Not guaranteed: that a callback is over when a call returns, or has not begun; they run in another thread. Nothing
can end a callback that blocks the trio thread, nor a thread that blocks in `in_thread`.

When not to use it: in a program that runs on trio, use `livebridge.Session`. Where thousands of calls per second
matter (audio of many speakers), note that each costs two thread switches, about a tenth of a millisecond; send
larger pieces, or run a trio function by ``bridge.submit`` that does it all.
"""

from livebridge.threads._bridge import LiveBridgeThread
from livebridge.threads._offload import in_thread
from livebridge.threads._session import BlockingSession, current_session
from livebridge.threads._verb import BlockingVerb

__all__ = ["BlockingSession", "BlockingVerb", "LiveBridgeThread", "current_session", "in_thread"]
