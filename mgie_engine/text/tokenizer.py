"""Text to token ids and back, with the rules of the slow LLaMA tokenizer that MGIE was trained with.

Current LLaMA tokenizers give other ids around special tokens; this one needs only sentencepiece.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor

from mgie_engine.errors import ModelError
from mgie_engine.model_files import MOST_TEXT_BYTES, read_json, require_regular

PATCH, START, END = "<im_patch>", "<im_start>", "<im_end>"
CONTROLS = ("<s>", "</s>", "<unk>")
MOST_IDS = 1_000_000  # as many as a vocabulary may have
_SHIELD = "\ufdd0"  # a noncharacter of Unicode, which occurs in no text


class Tokenizer:
    """A sentencepiece model plus added tokens: three for pictures, then the visual tokens [IMG0], [IMG1], …

    added: ids of known added tokens; missing ones get the next ids. keeps_spaces: special tokens that leave
    the white space around them; all others strip it, newlines included.
    """

    def __init__(
        self,
        pieces: SentencePieceProcessor,
        added: dict[str, int] | None = None,
        visual_tokens: int = 8,
        keeps_spaces: Iterable[str] = CONTROLS,
    ) -> None:
        self.pieces = pieces
        self.unknown, self.begin, self.end = pieces.unk_id(), pieces.bos_id(), pieces.eos_id()
        self.added = dict(added or {})
        for token in (PATCH, START, END, *(f"[IMG{i}]" for i in range(visual_tokens))):
            self.added.setdefault(token, max([pieces.get_piece_size() - 1, *self.added.values()]) + 1)
        self.visual = tuple(self.added[f"[IMG{i}]"] for i in range(visual_tokens))
        self.picture_start, self.picture_end = self.added[START], self.added[END]
        self._names = {i: token for token, i in self.added.items()}
        self._controls = {i: pieces.id_to_piece(i) for i in (self.unknown, self.begin, self.end)}
        self._specials = self.added | {token: i for i, token in self._controls.items()}
        self._strips = self._specials.keys() - set(keeps_spaces)
        longest_first = sorted(self._specials, key=len, reverse=True)
        self._special = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")

    @classmethod
    def read(cls, folder: Path, visual_tokens: int = 8) -> "Tokenizer":
        """Read tokenizer.model and, if present, added_tokens.json and special_tokens_map.json of a folder."""
        model = folder / "tokenizer.model"
        require_regular(model, MOST_TEXT_BYTES)
        try:
            pieces = SentencePieceProcessor(model_file=str(model))
        except (RuntimeError, OSError) as error:
            raise ModelError(f"{model} is damaged: {error}.") from error
        if min(pieces.unk_id(), pieces.bos_id(), pieces.eos_id()) < 0:
            raise ModelError(f"{model} lacks one of the tokens {' '.join(CONTROLS)}.")
        added = _added(folder / "added_tokens.json")
        return cls(pieces, added, visual_tokens, _keeps_spaces(_json(folder / "special_tokens_map.json")))

    def save(self, folder: Path) -> None:
        """Write the files that `read` reads."""
        kept = {"lstrip": False, "rstrip": False}
        special = {token: token if token in self._strips else {"content": token} | kept for token in CONTROLS}
        (folder / "tokenizer.model").write_bytes(self.pieces.serialized_model_proto())
        for name, data in (("added_tokens.json", self.added), ("special_tokens_map.json", special)):
            (folder / name).write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")

    def __len__(self) -> int:
        """Number of rows of the embedding table."""
        return max(self.pieces.get_piece_size() - 1, *self.added.values()) + 1

    def encode(self, text: str) -> list[int]:
        """Ids of `text` after <s>. Special strings become their tokens unless shielded; no </s> is added."""
        parts = self._special.split(text)  # ordinary text at even indices, special strings at odd ones
        ids = [self.begin]
        for place, part in enumerate(parts):
            if place % 2:
                ids.append(self._specials[part])
            elif part:  # nothing stands between the patches of a picture
                ids += self.encode_plain(self._stripped(parts, place))
        return ids

    def encode_plain(self, text: str) -> list[int]:
        """Ids of ordinary text: without special tokens and without <s>."""
        plain = text.replace(_SHIELD, "")
        return list(self.pieces.encode(plain)) if plain else []

    def shield(self, text: str) -> str:
        """`text` such that `encode` reads special strings in it as ordinary characters."""
        return self._special.sub(
            lambda found: found[0][0] + _SHIELD + found[0][1:], text.replace(_SHIELD, "")
        )

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids, special tokens written out, with the blanks of the slow tokenizer."""
        runs = groupby(ids, key=lambda i: self._names.get(i))
        parts = []
        for name, run in runs:
            parts += [name for _ in run] if name else [self._decode_run(list(run))]
        return " ".join(parts)

    def _stripped(self, parts: Sequence[str], place: int) -> str:
        text = parts[place]
        if place > 0 and parts[place - 1] in self._strips:
            text = text.lstrip()
        if place + 1 < len(parts) and parts[place + 1] in self._strips:
            text = text.rstrip()
        return text

    def _decode_run(self, ids: Sequence[int]) -> str:
        """Text of ids without added tokens. A control token after text gets a blank *before that text*."""
        text, ordinary, after_control = "", list[int](), False
        for place, i in enumerate(ids):
            if i in self._controls:
                text += " " * (place > 0 and not after_control)
                text += self.pieces.decode(ordinary) + self._controls[i]
                ordinary = []
            else:
                ordinary.append(i)
            after_control = i in self._controls
        return text + str(self.pieces.decode(ordinary))


def _added(file: Path) -> dict[str, int]:
    """Ids by token, of an added_tokens.json. ModelError if they are no ids, or two tokens share one."""
    added = _json(file)
    ids = list(added.values())
    if not all(type(i) is int and 0 <= i < MOST_IDS for i in ids) or len(set(ids)) < len(ids):
        raise ModelError(f"{file} should give each token an id of its own, from 0 to {MOST_IDS - 1}.")
    if not all(added):
        raise ModelError(f"{file} has an empty token.")
    return added


def _keeps_spaces(special: dict[str, Any]) -> Iterable[str]:
    """Tokens of a special_tokens_map.json that keep the white space around them."""
    if not special:
        return CONTROLS
    tokens = [entry for entry in special.values() if isinstance(entry, dict)]
    return [str(token.get("content")) for token in tokens if not (token.get("lstrip") or token.get("rstrip"))]


def _json(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}
