"""`mgie study`: what the two strengths do to a model's edits."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from tqdm import tqdm

from conversations.atomic_write import write_atomically
from conversations.settings import EditSettings, SettingsOverride, checked
from mgie_engine.cli_types import Commands, add_json, not_negative, positive, print_result
from mgie_engine.config import read_config, resolve_model
from mgie_engine.lab.docs_inject import write_docs
from mgie_engine.lab.evaluation.scenes_running import default_batch_size
from mgie_engine.lab.evaluation.workers import PoolMap, worker_count, worker_pool
from mgie_engine.lab.json_files import require_same_config
from mgie_engine.lab.study.fit import better_half, fit, worth_checking
from mgie_engine.lab.study.guidelines import ONE_COLOUR, SKY
from mgie_engine.lab.study.markdown_tables import to_markdown
from mgie_engine.lab.study.statistics import Study
from mgie_engine.lab.study.study_report import StudyReport, file_name, maps, to_json
from mgie_engine.lab.study.sweep import SweepConfig, sweep
from mgie_engine.lab.study.sweep_results import FITTED, HELD_OUT, Strengths, append_sweep, read_sweep
from mgie_engine.lab.study.tasks import Task, folder_tasks, scene_tasks, worded_tasks
from mgie_engine.model.mgie import MGIE
from mgie_engine.serving.edit_options import add_model, chosen_model, settle
from mgie_engine.strengths import GENTLE, HARSH, PUBLISHED, TABLE, fingerprint

TEXT_SHARES, IMAGE_SHARES = (0.75, 1.0, 1.5, 2.25), (0.85, 1.0, 1.35)  # of the model's own strengths
FIRST = 100_000  # the first story: far from those of `mgie evaluate scenes`
CELLS = "cells.jsonl"
PLACE = "study"  # in the docs: between <!-- study: begin --> and <!-- study: end -->
EXAMPLES = """examples:
  mgie study out --race                          quick, to choose a model's defaults
  mgie study out --edits 200 --held-out 200 --device cuda
  mgie study out --pictures photos               photos/instructions.tsv: picture, tab, instruction, tab, goal
Run it again on the same folder to continue or to add edits; the report is then rewritten.
"""


def register(commands: Commands) -> None:
    """Add `mgie study`."""
    parser = commands.add_parser(
        "study",
        run=run,
        help="find the best strengths for each kind of edit",
        description="Run edits under many text and image CFGs, score them, and report: "
        "OUT/report.md, report.json, heat maps, and strengths.json, the table that auto follows.",
        epilog=EXAMPLES,
    )
    parser.add_argument("output", type=Path, metavar="OUT", help="a folder; made if missing")
    parser.add_argument("--text", type=float, nargs="+", metavar="CFG", help="text CFGs to try")
    parser.add_argument("--image", type=float, nargs="+", metavar="CFG", help="image CFGs to try")
    parser.add_argument("--edits", type=positive, default=40, help="edits to learn from")
    parser.add_argument("--held-out", type=not_negative, default=0, help="edits to check on")
    parser.add_argument("--first", type=not_negative, default=FIRST, help="the first story")
    parser.add_argument(
        "--worded", type=not_negative, default=0, help="instructions in few and in many words"
    )
    parser.add_argument(
        "--published", action="store_true", help="also the settings MGIE and Extended MGIE publish"
    )
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="your own pictures instead of scenes")
    parser.add_argument("--seeds", type=positive, default=1, help="pictures per edit and pair")
    parser.add_argument("--steps", type=positive, help="denoising steps; the model's own if left out")
    parser.add_argument("--batch", type=positive, help="edits per batch")
    parser.add_argument("--docs", type=Path, metavar="PAGE.md", help="put the report into this page, too")
    parser.add_argument(
        "--race", action="store_true", help="drop the worse half of the pairs after a quarter and a half"
    )
    parser.add_argument("--install", action="store_true", help="let auto follow what was found")
    parser.add_argument("--report-only", action="store_true", help="run no more edits")
    add_model(parser)
    add_json(parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Run the missing edits, then write the report of everything in the folder."""
    choice = chosen_model(arguments, environment)
    location = resolve_model(choice.model, choice.home)
    config, weights = read_config(location), fingerprint(location.folder)
    settings = settle(checked(SettingsOverride(steps=arguments.steps)), config.defaults, fresh_seed=0)
    own, folder = (settings.text_cfg, settings.image_cfg), arguments.output
    followed = {"model": config.name, "weights": weights, "own": list(own), "steps": settings.steps}
    require_same_config(folder / "plan.json", followed)
    if not arguments.report_only:
        mgie = choice.load()
        with worker_pool(worker_count(mgie.device)) as pool_map:
            for tasks, plan in _parts(mgie, arguments, settings):
                _paint(mgie, tasks, plan, folder / CELLS, pool_map)
    took = f"{settings.steps} steps, {settings.sampler}."
    report = StudyReport.of(Study(read_sweep(folder / CELLS), own), config.name, weights, took)
    markdown, charts = to_markdown(report), {file_name(family): svg for family, svg in maps(report)}
    files = charts | {"report.json": to_json(report), "report.md": markdown, TABLE: report.table.to_json()}
    for name, text in files.items():
        write_atomically(folder / name, text.encode())
    if arguments.install:
        (location.folder / TABLE).write_text(report.table.to_json(), "utf-8")
    if arguments.docs:
        write_docs(arguments.docs, PLACE, to_markdown(report, "images"), charts)
    print_result(arguments, to_json(report), markdown)


def _parts(
    mgie: MGIE, arguments: argparse.Namespace, settings: EditSettings
) -> Iterator[tuple[Iterator[Task], SweepConfig]]:
    """The edits to run; the results so far decide which pairs to check on held-out edits."""
    size, first = mgie.config.picture_size, arguments.first
    own = (settings.text_cfg, settings.image_cfg)
    batch = arguments.batch or default_batch_size(mgie.device)

    def plan(pairs: tuple[Strengths, ...]) -> SweepConfig:
        for text, image in pairs:
            checked(SettingsOverride(text_cfg=text, image_cfg=image))
        return SweepConfig(pairs, tuple(range(arguments.seeds)), settings, batch)

    whole = plan(pairs_to_try(arguments.text, arguments.image, own))
    if arguments.pictures:
        yield folder_tasks(arguments.pictures, size), whole
        return
    for number, pairs in _rounds(arguments, whole.strengths, own):
        yield scene_tasks(FITTED, size, first, number), plan(pairs)
    yield worded_tasks(size, first, arguments.worded), plan((own,))
    if arguments.published:
        some = scene_tasks(FITTED, size, first, arguments.edits)
        yield (task for task in some if task.subject.kind in (SKY, ONE_COLOUR)), plan((GENTLE, HARSH))
    if arguments.held_out:
        found = Study(read_sweep(arguments.output / CELLS), own)
        table = fit(found, mgie.config.name)
        pairs = worth_checking(found, table)
        pairs += (PUBLISHED,) if arguments.published else ()
        yield scene_tasks(HELD_OUT, size, first, arguments.held_out), plan(pairs)


def _rounds(
    arguments: argparse.Namespace, pairs: tuple[Strengths, ...], own: Strengths
) -> Iterator[tuple[int, tuple[Strengths, ...]]]:
    """How many edits to run under which pairs; the results of a round decide the next."""
    if arguments.race:
        for share in (4, 2):
            yield -(-arguments.edits // share), pairs
            pairs = better_half(Study(read_sweep(arguments.output / CELLS), own), pairs)
    yield arguments.edits, pairs


def pairs_to_try(
    text: list[float] | None, image: list[float] | None, own: Strengths
) -> tuple[Strengths, ...]:
    """Every pair of the two axes, the model's own first; without axes, pairs around the model's own."""
    texts = text or [round(own[0] * share, 1) for share in TEXT_SHARES]
    images = image or [round(own[1] * share, 1) for share in IMAGE_SHARES]
    return tuple(dict.fromkeys((own, *((t, i) for i in images for t in texts))))


def _paint(mgie: MGIE, tasks: Iterator[Task], plan: SweepConfig, file: Path, pool_map: PoolMap) -> None:
    done = {cell.key for cell in read_sweep(file)}
    with tqdm(unit=" paintings", disable=None) as bar:
        for cells in sweep(mgie, tasks, plan, done, pool_map):
            append_sweep(file, cells)
            bar.set_description(cells[-1].subject.part, refresh=False)
            bar.update(len(cells))
