"""`mgie demo`: the classic demo page, for a notebook, a Space, or a look on this machine."""

import argparse
import importlib.util
from collections.abc import Mapping

from mgie_engine.cli_types import Commands, port
from mgie_engine.errors import EngineError
from mgie_engine.serving.edit_options import add_model
from mgie_engine.terminal.progress_bars import load_editor

EXAMPLES = """examples:
  mgie demo                      a page on this machine
  mgie demo --share              also at a public address of Gradio's, for a week: anyone who has it may edit
From a program: gradio_client.Client("http://127.0.0.1:7860").predict(…, api_name="/edit")
"""


def register(commands: Commands) -> None:
    """Add `mgie demo`."""
    parser = commands.add_parser(
        "demo",
        run=run,
        help="open the classic demo page (needs mgie[gradio])",
        description="Serve the demo page of MGIE in Gradio. For conversations, use `mgie-bot`.",
        epilog=EXAMPLES,
    )
    parser.add_argument("--share", action="store_true", help="also at a public address of Gradio's")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets other machines in")
    parser.add_argument("--port", type=port, help="1 to 65535; the first free one from 7860 if left out")
    add_model(parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Load the model and serve the page until interrupted; EngineError without Gradio."""
    if importlib.util.find_spec("gradio") is None:
        raise EngineError("mgie demo needs Gradio: pip install 'mgie[gradio]'.")
    with load_editor(arguments, environment) as editor:
        from mgie_engine.terminal.demo_page import demo_page

        demo_page(editor).launch(
            server_name=arguments.host, server_port=arguments.port, share=arguments.share
        )
