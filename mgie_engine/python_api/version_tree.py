"""The versions of one conversation: what to run for a text, and which version is current. Runs nothing.

The tree, undo and redo are those of the bot (`EditSession`), and so is the rule that tells texts apart.
"""

import io
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from conversations.atomic_write import write_atomically
from conversations.images.decode import Picture
from conversations.images.diff_image import DiffImage, change_map
from conversations.intents.intent import sort_text
from conversations.intents.phrase_tables import ENGLISH
from conversations.intents.sorted_text import LATEST, Asks, CommandWord, OtherPicture, TextCommand
from conversations.session import EditSession
from conversations.settings import RANGES, SettingsOverride, checked
from conversations.turn import Turn, TurnState
from conversations.variations import Variation, may_amend, varied_override, varied_words
from mgie_engine.config import ModelConfig
from mgie_engine.edits import EditRequest, EditResult, Exchange
from mgie_engine.errors import RequestRefused
from mgie_engine.python_api.edit_requests import EditOptions, build_request, other_language
from mgie_engine.python_api.edited_picture import EditedPicture, edited_picture, picture_file
from mgie_engine.text.varied_reading import varied_reading

ME = "me"
_VARIATIONS = {
    CommandWord.AGAIN: Variation.AGAIN,
    CommandWord.STRONGER: Variation.STRONGER,
    CommandWord.SUBTLER: Variation.SUBTLER,
    CommandWord.FROM_ORIGINAL: Variation.FROM_ORIGINAL,
}


@dataclass(frozen=True, slots=True)
class Version:
    """One picture of a conversation."""

    number: int  # 0 is the picture that the conversation began with
    parent: int | None  # number of the version that it was made from
    png: bytes
    edit: EditedPicture | None  # how it was made; None for version 0

    @property
    def label(self) -> str:
        """Its name in texts: "v2"."""
        return f"v{self.number}"

    @property
    def image(self) -> Image.Image:
        """The picture, RGB or RGBA; decoded on every call."""
        return Image.open(io.BytesIO(self.png))

    def save(self, path: str | Path) -> Path:
        """Write the picture, as `EditedPicture.save` does."""
        path = Path(path)
        write_atomically(path, picture_file(self.png, path.suffix))
        return path


@dataclass(frozen=True, slots=True)
class PlannedEdit:
    """An edit to run: the request, and what its version will record."""

    request: EditRequest
    parent: str  # id of the turn that it starts from
    override: SettingsOverride
    varied: str | None = None  # id of the turn that it is a variation of


class VersionTree:
    """The versions of a conversation. Every move and every added edit returns the version then current."""

    def __init__(self, picture: Picture, config: ModelConfig, options: EditOptions) -> None:
        """options: settings that hold for every edit that does not name others. SettingsRefused."""
        self._config = config
        self._override = checked(SettingsOverride(**options))
        self._pictures = {"v0": picture.png}
        self._edits: dict[str, EditedPicture] = {}
        root = Turn("v0", "", 0, None, ME, state=TurnState.DONE, image="v0")
        self._session = EditSession("", "", ME).add(root)

    @property
    def current(self) -> Version:
        """The version that the next edit starts from."""
        return self._version(self._session.head_of(ME))

    @property
    def versions(self) -> tuple[Version, ...]:
        """Every version, oldest first."""
        return tuple(map(self._version, self._session.turns.values()))

    def version(self, number: int) -> Version:
        """The version of that number; NoSuchVersion."""
        return self._version(self._session.version(number))

    def understand(self, text: str, options: EditOptions) -> PlannedEdit | Version:
        """The edit that a text asks for, or the version that its command moved to.

        RequestRefused if it asks for neither, or for something that shows no version.
        """
        said = sort_text(text, ENGLISH, self._config.languages)
        match said.asks:
            case Asks.CONTROL if said.command:
                return self._obey(said.command)
            case Asks.UNSURE if said.command:
                word = said.command.word.replace("_", " ")
                raise RequestRefused(
                    f"Is that “{word}” or an instruction? Say “{word}” alone, or use edit()."
                )
            case Asks.HELP | Asks.IGNORE:
                raise RequestRefused(f"{text.strip()!r} asks for no edit. Say what to change, or “undo”.")
        if not said.is_read:
            raise other_language(self._config)
        if said.other is OtherPicture.ELSEWHERE:
            raise RequestRefused("This conversation is about one picture. Begin another one for it.")
        if said.first:
            self._obey(said.first)
        elif said.amendment and not options and self._may_amend(said.amendment):
            return self.plan_variation(Variation.AMENDED, amendment=said.amendment)
        return self.plan(said.words, options)

    def plan(
        self,
        instruction: str,
        options: EditOptions,
        *,
        reading: str | None = None,
        parent: Turn | None = None,
    ) -> PlannedEdit:
        """An edit of the current version, or of `parent`. RequestRefused, SettingsRefused."""
        return self._plan(instruction, checked(SettingsOverride(**options)), reading, parent)

    def plan_variation(
        self, variation: Variation, *, is_slight: bool = False, amendment: str = ""
    ) -> PlannedEdit:
        """The edit that made the current version once more, varied. RequestRefused if there is none."""
        turn = self._session.head_of(ME)
        parent = self._session.parent_of(turn)
        if parent is None:
            raise RequestRefused(f"No edit made {turn.label}, so there is nothing to repeat.")
        fresh_seed = secrets.randbelow(int(RANGES["seed"][1]) + 1)
        override = varied_override(turn, variation, fresh_seed, is_slight=is_slight)
        words = varied_words(self._session.path_to(turn), variation, amendment)
        start = self._session.root if variation is Variation.FROM_ORIGINAL else parent
        planned = self._plan(words, override, varied_reading(turn, variation, amendment), start)
        return replace(planned, varied=turn.id)

    def add(self, planned: PlannedEdit, result: EditResult) -> Version:
        """The version that an edit made, which is current then. EditDeclined leaves everything as it was."""
        request = planned.request
        edit = edited_picture(result, request.instruction)
        number = len(self._session.turns)
        turn = Turn(
            f"v{number}",
            "",
            number,
            planned.parent,
            ME,
            request.instruction,
            result.expressive,
            request.reading,
            TurnState.DONE,
            planned.override,
            result.settings,
            f"v{number}",
            changed=result.changed,
            notes=result.notes,
            varied_id=planned.varied,
        )
        self._pictures[turn.id], self._edits[turn.id] = edit.png, edit
        self._session = self._session.add(turn)
        return self.current

    def undo(self, steps: int = 1) -> Version:
        """Move to what was shown before, at most to version 0; NothingToUndo there."""
        self._session = self._session.undo(ME)
        for _ in range(steps - 1):
            if not self._session.head_of(ME).is_upload:
                self._session = self._session.undo(ME)
        return self.current

    def redo(self) -> Version:
        """Return to the version that was undone last; NothingToRedo."""
        self._session = self._session.redo(ME)
        return self.current

    def go_to(self, number: int) -> Version:
        """Move to any version; NoSuchVersion."""
        self._session = self._session.go_to(ME, self._session.version(number))
        return self.current

    def start_over(self) -> Version:
        """Move to version 0; redo leads back."""
        self._session = self._session.reset(ME)
        return self.current

    def compare(self, before: int | None = None, after: int | None = None) -> DiffImage:
        """Where two versions differ; without numbers, the current one and the one it was made from.

        NoSuchVersion, and RequestRefused for version 0 alone.
        """
        new = self._session.head_of(ME) if after is None else self._session.version(after)
        old = self._session.parent_of(new) if before is None else self._session.version(before)
        if old is None:
            raise RequestRefused(f"No edit made {new.label}, so there is nothing to compare it with.")
        return change_map(self._pictures[old.id], self._pictures[new.id])

    def _obey(self, command: TextCommand) -> PlannedEdit | Version:
        if command.word in _VARIATIONS:
            return self.plan_variation(_VARIATIONS[command.word], is_slight=command.is_slight)
        match command.word:
            case CommandWord.UNDO | CommandWord.REJECT:
                return self.undo(command.steps)
            case CommandWord.REDO:
                return self.redo()
            case CommandWord.START_OVER:
                return self.start_over()
            case CommandWord.SEEDS:
                raise RequestRefused("This makes one version at a time: say “again” for another one.")
            case CommandWord.GO_TO if command.version:
                return self.go_to(version_number(command, self._session.latest.number))
        raise RequestRefused(f"“{command.word}” makes no version: use compare(), versions or current.")

    def _may_amend(self, amendment: str) -> bool:
        turn = self._session.head_of(ME)
        return not turn.is_upload and may_amend(turn.instruction, amendment)

    def _plan(
        self, instruction: str, override: SettingsOverride, reading: str | None, parent: Turn | None
    ) -> PlannedEdit:
        base = parent or self._session.head_of(ME)
        options: EditOptions = override.merged_over(self._override).explicit()  # type: ignore[assignment]
        request = build_request(
            self._pictures[base.id],
            instruction,
            options,
            self._config.defaults,
            reading=reading,
            history=_exchanges(self._session.path_to(base)),
        )
        return PlannedEdit(request, base.id, override)

    def _version(self, turn: Turn) -> Version:
        parent = self._session.parent_of(turn)
        number = None if parent is None else parent.number
        return Version(turn.number, number, self._pictures[turn.id], self._edits.get(turn.id))


def version_number(command: TextCommand, latest: int) -> int:
    """The number of the version that a command names; `latest`: of the newest one."""
    return latest if command.version == LATEST else int((command.version or "v0").removeprefix("v"))


def _exchanges(path: Sequence[Turn]) -> tuple[Exchange, ...]:
    return tuple(Exchange(turn.instruction, turn.expressive) for turn in path if turn.expressive is not None)
