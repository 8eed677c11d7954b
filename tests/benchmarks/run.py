"""livebridge beside google-genai on the same local server: what a message, a session and an import cost.

::

    python tests/benchmarks/run.py              # all rows, about ten minutes
    python tests/benchmarks/run.py --quick      # fewer and shorter rounds, about two minutes
    python tests/benchmarks/run.py --only send  # rows whose names begin so; may be repeated
    python tests/benchmarks/run.py --realtime   # on a machine that does something else: as root

It needs the test extra of this project (google-genai, trustme, packaging) and Linux. The table shows for each
row the median of each stack (and the best tenth of its rounds), the ratio livebridge to google-genai of the
medians, the two targets of that ratio, how busy the server was, and whether the targets were reached. *First*
is what a release must reach, *goal* is what is aimed at. Ratios carry over from one machine to another, times
do not.

Rows
----

============== =========================================================================================
receive        CPU per received audio message of 4,800 bytes of PCM, one session, as fast as it can
send           CPU per sent audio message of 1,280 bytes, one session, as fast as it can
listen         CPU per received audio message of 1,920 bytes, 200 sessions that get 25 a second each
talk           100 sessions, 25 messages down (1,920 bytes) and 25 up (1,280) a second each: sessions that
               a core carries (100 / CPU), and the time from the server's write to the callback
latency        that time with one session
memory         resident memory of a process per idle session
connect        CPU from the call to a session that is ready
import         ``import livebridge`` against ``import google.genai``, in a new process, files in the cache
size           the packages with all they need, as installed, without bytecode
============== =========================================================================================

Rows that end in ``tls`` run over TLS with the certificate of a throw-away authority, which both stacks get
through ``SSL_CERT_FILE``.

How it is measured
------------------

* Each stack has a process of its own (``client_livebridge.py``, ``client_google_genai.py``), written as a user
  of the stack writes it, through its public interface. Callbacks do the same work in both: they take the
  decoded bytes. google-genai decodes base64 while it validates, livebridge in its codec.
* The server (``neutral_server.py``) has its own process; server and clients are pinned to different cores.
  It is asyncio, with frames built beforehand and client payloads skipped; its share of a core is in the table,
  and a value near 100 % means that the row measured the server. It waits on asyncio's timers of 1 ms, so
  in ``listen`` and ``talk`` messages of some sessions come together, for both stacks.
* Audio to be sent comes from one task that serves all sessions, with a tick every 5 ms: in a service it comes
  from a socket or a sound card, and a timer for each packet would measure the timers.
* ``time.process_time`` of the client, after a warm-up, in rounds that alternate between the stacks; the first
  round of each row is thrown away. Figures are medians of the rounds.
* google-genai makes ``wss`` of every base URL. For the plain rows its ``websockets.connect`` is wrapped by a
  function that puts ``ws`` there again; nothing else of it is touched. Proxy variables are unset for both.
* Both stacks run with their defaults: google-genai offers permessage-deflate (the server declines), livebridge
  keeps the audio of a turn for ``wait_turn`` and watches its keep-alive.
* Whatever else the machine does shows up in the latencies first, above all in their 99th percentile.
  ``--realtime`` schedules server and clients (``SCHED_RR``) before it.
* A row in which a client cannot keep pace is reported as such, not as a figure.

Not measured here: uvloop, video, tool calls, Vertex's messages, real networks, the service itself, more than
500 sessions, supervision and the gap of a rotation.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys

import footprint
import workers
from rows import ROWS, Outcome, Row, Scale, table


def measure(row: Row, scale: Scale, bench: workers.Bench) -> list[Outcome]:
    """Run the rounds of a row, the stacks in turn, and sum them up."""
    parameters = row.parameters | scale.of(row)
    found: dict[str, list[dict[str, float]]] = {stack: [] for stack in workers.STACKS}
    busy = []
    for number in range(scale.rounds(row) + scale.thrown_away):
        for stack in workers.STACKS:
            result, server = bench.run(stack, row.scenario, tls=row.tls, fresh=row.fresh, **parameters)
            if number >= scale.thrown_away:
                found[stack].append(result)
                busy.append(server)
    return [Outcome.of(row, figure, found, statistics.median(busy)) for figure in row.figures]


def weigh(row: Row, scale: Scale) -> list[Outcome]:
    """Measure what needs no server."""
    found: dict[str, list[dict[str, float]]] = {stack: [] for stack in workers.STACKS}
    for _ in range(scale.rounds(row)):
        for stack in workers.STACKS:
            if row.scenario == "import":
                found[stack].append({"import_ms": footprint.import_ms(stack)})
            else:
                found[stack].append({"installed_mib": footprint.installed_mib(stack)[0]})
    return [Outcome.of(row, figure, found, None) for figure in row.figures]


def main(arguments: list[str]) -> int:
    """Measure and print; returns the exit status: 1 if a row could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    size.add_argument(
        "--tiny", action="store_true", help="only see that everything runs; figures mean nothing"
    )
    parser.add_argument("--only", action="append", metavar="ROW", help="rows whose names begin so")
    parser.add_argument("--realtime", action="store_true", help="before all other processes (privileged)")
    given = parser.parse_args(arguments)
    scale = Scale("tiny" if given.tiny else "quick" if given.quick else "full")
    chosen = [row for row in ROWS if not given.only or row.name.startswith(tuple(given.only))]
    if not chosen:
        parser.error(f"no row begins so; there are {', '.join(row.name for row in ROWS)}")
    failed = 0
    outcomes: list[Outcome] = []
    with workers.open_bench(reuse=given.tiny, realtime=given.realtime) as bench:
        for row in chosen:
            print(f"{row.name} …", file=sys.stderr, flush=True)
            try:
                needs_server = row.scenario in workers.SCENARIOS
                outcomes += measure(row, scale, bench) if needs_server else weigh(row, scale)
            except (workers.WorkerError, RuntimeError) as error:
                failed = 1
                print(f"{row.name}: not measured: {error}", file=sys.stderr, flush=True)
        where = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {bench.placement}"
    print(table(outcomes, where=f"{where}, {scale.name}"))
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
