"""Makes the edits of cases in a folder, then scores the folder against the goals.

Both steps share files only, so edits made elsewhere are scored like ours, and a stopped run resumes. A .txt
beside an edit holds its expressive instruction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from tqdm import tqdm

from conversations.atomic_write import write_atomically
from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data.examples import opened
from mgie_engine.lab.data.public_datasets import inside
from mgie_engine.lab.evaluation.image_metrics import Metric, MetricInput
from mgie_engine.lab.evaluation.report import ReportRow
from mgie_engine.lab.evaluation.suites import FileCase
from mgie_engine.lab.json_files import require_same_config
from mgie_engine.serving.pictures import to_png

if TYPE_CHECKING:
    from mgie_engine.lab.evaluation.editors import EvaluatedEditor

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
EDITOR = "editor.json"  # in a folder of edits: the editor and its settings


@dataclass(frozen=True, slots=True)
class ScoredCase:
    """A case with its edit and what the metrics say."""

    case: FileCase
    result: Path
    row: ReportRow


def make_edits(cases: Sequence[FileCase], editor: "EvaluatedEditor", folder: Path) -> None:
    """Make every edit that the folder lacks. DataError if it holds another editor's or other settings'."""
    require_same_config(folder / EDITOR, editor.params)
    by_name = {case.name: case for case in cases}
    for case in tqdm(cases, "edited", disable=None):
        if edit_file(case.name, folder) is None:
            talk = case.history + _talk(case, by_name, folder)
            made = editor.edit(picture_before(case, folder), case.instruction, talk)
            if made.expressive:
                write_atomically(inside(folder, case.name + ".txt"), made.expressive.encode())
            write_atomically(inside(folder, case.name + ".png"), to_png(made.picture))


def score_cases(cases: Sequence[FileCase], folder: Path, metrics: Mapping[str, Metric]) -> list[ScoredCase]:
    """Every case that counts, judged by its file in the folder. DataError names what is missing."""
    counted = [case for case in cases if case.groups]
    missing = [case.name for case in counted if edit_file(case.name, folder) is None]
    if missing:
        raise DataError(f"The folder {folder} lacks {len(missing)} edits, the first is {missing[0]}.png.")
    judged = list[ScoredCase]()
    for case in tqdm(counted, "scored", disable=None):
        file = _edit(case.name, folder)
        outcome = MetricInput(opened(file), opened(case.goal), case.caption)
        values = {name: metric(outcome) for name, metric in metrics.items()}
        row = ReportRow(case.name, case.instruction, said(case.name, folder), case.groups, values)
        judged.append(ScoredCase(case, file, row))
    return judged


def picture_before(case: FileCase, folder: Path) -> Image.Image:
    """What the case starts from; `folder` has the edit it follows, if it follows one."""
    return opened(_edit(case.follows, folder) if case.before is None else case.before)


def edit_file(name: str, folder: Path) -> Path | None:
    """The file of an edit, if it is there."""
    return next((file for end in ENDINGS if (file := inside(folder, name + end)).is_file()), None)


def said(name: str, folder: Path) -> str:
    """The expressive instruction of an edit; "" if none is known."""
    file = inside(folder, name + ".txt")
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _edit(name: str, folder: Path) -> Path:
    file = edit_file(name, folder)
    if file is None:
        raise DataError(f"The edit {name} is not in {folder}.")
    return file


def _talk(case: FileCase, by_name: Mapping[str, FileCase], folder: Path) -> tuple[Exchange, ...]:
    """What was said on the way to a case, oldest first."""
    talk: tuple[Exchange, ...] = ()
    while case.follows:
        case = by_name[case.follows]
        talk = (Exchange(case.instruction, said(case.name, folder)), *talk)
    return talk
