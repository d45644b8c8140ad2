"""What is shown on stderr while a command works; nothing where stderr is no terminal."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tqdm import tqdm

from mgie_engine.edits import Progress
from mgie_engine.python_api.editor import Editor
from mgie_engine.serving.edit_options import chosen_model


def load_editor(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Editor:
    """The editor that the options of `add_model` choose; a line says that it is being loaded."""
    chosen = chosen_model(arguments, environment)
    with tqdm(disable=None, leave=False, bar_format="{desc}") as bar:
        bar.set_description_str(f"Loading {chosen.model} …")
        return Editor(
            chosen.model,
            device=chosen.device,
            memory=chosen.memory,
            level=chosen.level,
            framing=chosen.framing,
            threads=chosen.threads,
            home=chosen.home,
        )


@contextmanager
def edit_bar(title: str = "") -> Iterator[Callable[[Progress], None]]:
    """A bar of the denoising steps of one edit, with its stage."""
    with tqdm(disable=None, leave=False) as bar:

        def show(progress: Progress) -> None:
            bar.set_description(f"{title}{progress.stage}", refresh=False)
            bar.total, bar.n = progress.steps, progress.step
            bar.refresh()

        yield show
