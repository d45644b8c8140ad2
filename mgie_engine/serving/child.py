"""What runs inside the engine process: `python -m mgie_engine.serving.child`, spoken to over its pipes.

It ends when its input ends, so it never outlives its parent. Whatever libraries print goes to stderr.
"""

import os
import queue
import signal
import sys
import threading
from typing import TYPE_CHECKING, BinaryIO

from mgie_engine.errors import EngineError
from mgie_engine.serving.messages import (
    Answer,
    Beat,
    Cancel,
    CannotLoad,
    Happened,
    Launch,
    Order,
    Ready,
    Run,
    frame,
    read_messages,
)

if TYPE_CHECKING:
    from mgie_engine.serving.engine import Engine


def main() -> None:
    """Load the model the first message names, then serve until the pipe closes."""
    orders_in, answers_out = _claim_pipes()
    messages = read_messages(orders_in)
    launch: Launch | None = next(messages, None)
    if launch is None:
        return
    inbox: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def receive() -> None:
        for order in messages:
            inbox.put(order)
        os._exit(0)  # from this thread, so that not even a hung kernel keeps an orphan alive

    # Ctrl-C and a service manager's stop reach the whole group; when to end is the parent's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=receive, name="orders", daemon=True).start()

    def send(answer: Answer) -> None:
        answers_out.write(frame(answer))
        answers_out.flush()

    try:
        engine = _engine(launch)
    except EngineError as error:
        send(CannotLoad(error))
        return
    send(Ready(engine.slots))
    while True:
        while not engine.busy or not inbox.empty():
            match inbox.get():
                case Run(key, request):
                    engine.admit(key, request)
                case Cancel(key):
                    engine.cancel(key)
        for key, news in engine.step():
            send(Happened(key, news))
        send(Beat())


def _engine(launch: Launch) -> "Engine":
    from mgie_engine.serving.engine import Engine  # imports torch: only here, after the pipes are safe

    return Engine(launch.loader.load(), launch.slots)


def _claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for messages; point 0 at nothing and 1 at stderr for everybody else."""
    orders_in, answers_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(sys.stderr.fileno(), 1)
    return orders_in, answers_out


if __name__ == "__main__":
    main()
