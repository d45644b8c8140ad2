"""What runs inside the engine process: `python -m mgie_engine.serving.worker`, spoken to over its pipes.

It ends when its input ends, so it never outlives its parent. Whatever libraries print goes to stderr.
"""

import logging
import os
import queue
import signal
import threading
from typing import BinaryIO

from conversations.child_process import be_ended_first, give_up_rights
from mgie_engine.errors import EngineError, ModelError
from mgie_engine.serving.protocol import (
    Answer,
    Beat,
    Builder,
    Cancel,
    CannotLoad,
    Happened,
    Order,
    Ready,
    Run,
    frame,
    read_messages,
)

LONGEST_REASON = 300  # characters of what a library says


def main() -> None:
    """Load the model the first message names, then serve until the pipe closes."""
    give_up_rights()
    be_ended_first()
    orders_in, answers_out = claim_pipes()
    messages = read_messages(orders_in)
    launch = next(messages, None)  # a Launch
    if launch is None:
        return
    inbox: queue.SimpleQueue[Order] = queue.SimpleQueue()

    def receive() -> None:
        try:
            for order in messages:
                inbox.put(order)
        finally:
            os._exit(0)  # from this thread, so that not even a hung kernel keeps an orphan alive

    # Ctrl-C and a service manager's stop reach the whole group; when to end is the parent's to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=receive, name="orders", daemon=True).start()

    def send(answer: Answer) -> None:
        answers_out.write(frame(answer))
        answers_out.flush()

    try:
        builder: Builder = launch.builder
        engine = builder.build()
    except Exception as error:
        if (reason := _why_not_loaded(error)) is None:
            raise
        send(CannotLoad(reason))
        return
    send(Ready(launch.slots or engine.suitable_slots, engine.silence_s))
    while True:
        while not engine.busy or not inbox.empty():
            match inbox.get():
                case Run(key, request):
                    engine.admit(key, request)
                case Cancel(key):
                    engine.cancel(key)
        events = engine.step()
        for key, news in events:
            send(Happened(key, news))
        if not events:
            send(Beat())


def _why_not_loaded(error: Exception) -> EngineError | None:
    """What to say when the model cannot be loaded; None for what a new process may not meet again.

    Only the files decide the former, so trying again would fail the same way for ever.
    """
    if isinstance(error, EngineError):
        return error
    from mgie_engine.checkpoints.failures import is_out_of_memory
    from mgie_engine.serving.edit_errors import is_fatal

    if is_out_of_memory(error) or is_fatal(error):
        return None
    logging.getLogger(__name__).error("The model cannot be loaded.", exc_info=error)
    said = " ".join(str(error).split())[:LONGEST_REASON]
    return ModelError(f"The model cannot be loaded: {type(error).__name__}: {said}")


def claim_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for messages; point 0 at nothing and 1 at stderr for everybody else."""
    orders_in, answers_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return orders_in, answers_out


if __name__ == "__main__":
    main()
