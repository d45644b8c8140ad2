"""`mgie evaluate files`: an editor, or edits made elsewhere, against the goals of a data set."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mgie_engine.cli_types import CommandParser, Commands, add_json, positive, print_result
from mgie_engine.config import Defaults
from mgie_engine.errors import DataError
from mgie_engine.lab.data.examples import opened
from mgie_engine.lab.evaluation.editors import EngineEditor, EvaluatedEditor, Pix2PixEditor
from mgie_engine.lab.evaluation.image_metrics import BETTER, Backbones, mean_by_group, metrics
from mgie_engine.lab.evaluation.report import (
    EvaluationReport,
    ReportCase,
    to_html,
    to_json,
    to_markdown,
)
from mgie_engine.lab.evaluation.scoring import ScoredCase, edit_file, make_edits, picture_before, score_cases
from mgie_engine.lab.evaluation.suites import SUITES, FileCase
from mgie_engine.lab.pretrained import WHERE
from mgie_engine.memory.loading import find_device
from mgie_engine.serving.edit_options import add_model, add_settings, chosen_model, chosen_settings, settle

DEFAULT_METRICS = {
    "pairs": ("l1", "ssim", "dino", "cvs", "cts"),
    "magicbrush": ("l1", "l2", "cvs", "dino", "cts", "cts_goal"),
}
SEED = 0  # default: an evaluation gives the same figures every time
EXAMPLES = """examples:
  mgie evaluate files prepared -o report --metrics l1 ssim
  mgie evaluate files MagicBrush/test -o report --suite magicbrush --model mgie-7b --device cuda
  mgie evaluate files MagicBrush/test -o plain --suite magicbrush --pix2pix timbrooks/instruct-pix2pix
  mgie evaluate files prepared -o theirs --edits their-edits --metrics l1 lpips --lpips alexnet.pth
"""


def register(kinds: Commands) -> None:
    """Add `mgie evaluate files`."""
    parser = kinds.add_parser(
        "files",
        run=run,
        help="on pictures with goals",
        description="Measure edits of a data set against its goals. Edits that are there are not made again.",
        epilog=EXAMPLES,
    )
    parser.add_argument("source", type=Path, help="a folder of prepared data, InstructPix2Pix or MagicBrush")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where reports go")
    parser.add_argument("--suite", choices=sorted(DEFAULT_METRICS), default="pairs", help="what is measured")
    parser.add_argument("--limit", type=positive, metavar="N", help="only the first examples, or sessions")
    parser.add_argument("--edits", type=Path, metavar="DIR", help="judge these edits instead of making some")
    parser.add_argument("--pix2pix", metavar="MODEL", help=f"measure InstructPix2Pix: {WHERE}")
    add_settings(parser)
    add_model(parser)
    _add_metrics(parser)
    add_json(parser)


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> None:
    """Make the edits that are missing, judge all, and write report.json, report.md and report.html."""
    if not arguments.source.is_dir():
        raise DataError(f"There is no folder {str(arguments.source)!r}.")
    cases = list(SUITES[arguments.suite](arguments.source, arguments.limit))
    backbones = Backbones(arguments.clip, arguments.dino, arguments.lpips)
    names = arguments.metrics or DEFAULT_METRICS[arguments.suite]
    measures = metrics(names, backbones, find_device(arguments.device))
    edits: Path = arguments.edits or arguments.output / "edits"
    params: dict[str, Any] = {"editor": str(edits)}
    if not arguments.edits:
        editor = _editor(arguments, environment)
        make_edits(cases, editor, edits)
        params = editor.params
    judged = score_cases(cases, edits, measures)
    _write(arguments, params | {"suite": arguments.suite, "source": str(arguments.source)}, judged, edits)


def _write(
    arguments: argparse.Namespace, params: Mapping[str, Any], judged: Sequence[ScoredCase], edits: Path
) -> None:
    rows = [one.row for one in judged]
    names = list(rows[0].values) if rows else []
    means = mean_by_group([(row.groups, row.values) for row in rows])
    report = EvaluationReport(
        f"{params['editor']} on files", params, {n: BETTER[n] for n in names}, means, rows
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    page = to_html(report, _shown(judged[: arguments.pictures], edits))
    for ending, text in (("json", to_json(report)), ("md", to_markdown(report)), ("html", page)):
        (arguments.output / f"report.{ending}").write_text(text, encoding="utf-8")
    print_result(arguments, to_json(report), to_markdown(report))


def _shown(judged: Sequence[ScoredCase], edits: Path) -> Iterator[ReportCase]:
    for one in judged:
        before = {"before": picture_before(one.case, edits)} if _has_before(one.case, edits) else {}
        yield ReportCase(one.row, before | {"edit": opened(one.result), "goal": opened(one.case.goal)})


def _has_before(case: FileCase, edits: Path) -> bool:
    """Whether the picture a case starts from is known: folders made elsewhere may lack the steps between."""
    return case.before is not None or edit_file(case.follows, edits) is not None


def _editor(arguments: argparse.Namespace, environment: Mapping[str, str]) -> EvaluatedEditor:
    override = chosen_settings(arguments)
    if arguments.pix2pix:
        settings = settle(override, Defaults(), SEED)
        return Pix2PixEditor.load(arguments.pix2pix, settings, find_device(arguments.device))
    model = chosen_model(arguments, environment).load()
    return EngineEditor(model, settle(override, model.config.defaults, SEED))


def _add_metrics(parser: CommandParser) -> None:
    parser.add_argument("--metrics", nargs="+", choices=tuple(BETTER), help="default: what fits the suite")
    parser.add_argument("--clip", default=Backbones().clip, metavar="MODEL", help="for cvs and cts")
    parser.add_argument("--dino", default=Backbones().dino, metavar="MODEL", help="for dino")
    parser.add_argument("--lpips", type=Path, metavar="FILE", help="AlexNet's weights, for lpips")
    parser.add_argument("--pictures", type=positive, default=60, metavar="N", help="cases on the page")
