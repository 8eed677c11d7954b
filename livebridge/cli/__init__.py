"""The command line: ``livebridge demo``, ``livebridge chat``, ``livebridge simulate``, and more.

::

    livebridge demo                 a spoken conversation with a simulator on this machine, no key needed
    livebridge chat [--simulate]    type a line, the model's answer streams
    livebridge simulate             a Live API server on this machine, for any client
    livebridge record               stand between a client and a server, and log what they say
    livebridge chaos                sessions against a simulator that misbehaves; what did they lose?
    livebridge models               the live models that your credentials can use
    livebridge token                an ephemeral token for a client that must not see your key
    livebridge doctor [--dial]      is everything there that a session takes, and what to do if not

``python -m livebridge`` is the same program. A command's modules are imported when it is asked for.

Guarantees: exit status 0 when all went well, 1 when something failed, 2 for wrong usage or missing credentials,
130 after Ctrl-C; whatever goes wrong is one sentence on standard error, never a traceback. No command writes a
secret anywhere, but ``token``, whose output is one.

When not to use it: from Python; `livebridge.Session` and `livebridge.simulator` are the same things without a
terminal.
"""

from livebridge.cli._main import main

__all__ = ["main"]
