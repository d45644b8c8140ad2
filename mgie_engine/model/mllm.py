"""The multimodal language model: a CLIP tower, one linear projection, and a LLaMA that reads both."""

from dataclasses import dataclass
from inspect import signature
from typing import Any, cast

import torch
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel, LlamaConfig, LlamaModel

from mgie_engine.config import LanguageSizes, ModelConfig, VisionSizes

# transformers 5.24 renames the key/value cache; 5.40 drops the old name.
_CACHE = "cache" if "cache" in signature(LlamaModel.forward).parameters else "past_key_values"


class MLLM(nn.Module):
    """LLaMA with pictures in its prompt.

    `clip` and `model` are the networks of transformers; `mm_projector` takes a patch to an embedding;
    `lm_head` takes a state to token scores.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = config.language.hidden_size
        self.vision = config.vision
        self.visual_tokens = config.edit_head.visual_tokens
        self.clip = CLIPVisionModel(_clip_config(config.vision))
        self.mm_projector = nn.Linear(config.vision.hidden_size, hidden)
        self.model = LlamaModel(_llama_config(config.language))
        self.lm_head = nn.Linear(hidden, config.language.vocab_size, bias=False)

    def see(self, pixels: Tensor) -> Tensor:
        """Patch features (B, N, vision hidden) of normalised pixels (B, 3, H, W), class token left out."""
        tower = getattr(self.clip, "vision_model", self.clip)  # nested in some versions of transformers
        states = tower.pre_layrnorm(tower.embeddings(pixels))
        # Layer by layer, because only one layer's states are wanted: what comes after it is not computed.
        for layer in tower.encoder.layers[: self.vision.select_layer % (self.vision.layers + 1)]:
            states = layer(states, attention_mask=None)
        return cast(Tensor, states[:, 1:])

    def patches(self, pixels: Tensor) -> Tensor:
        """What the language model sees of normalised pixels (B, 3, H, W): (B, N, D)."""
        return cast(Tensor, self.mm_projector(self.see(pixels)))

    @property
    def visual_embeddings(self) -> Tensor:
        """The rows (1, 8, D) of [IMG0]…[IMG7], which are the last of the table."""
        return cast(Tensor, self.model.embed_tokens.weight[-self.visual_tokens :][None])

    def embed(self, ids: Tensor, patches: Tensor, picture_at: Tensor) -> Tensor:
        """Embeddings (B, L, D) of ids (B, L), with row b's patches over the places from picture_at[b] on."""
        words = self.model.embed_tokens(ids)
        patches = patches.to(words.dtype)
        places = picture_at[:, None] + torch.arange(patches.shape[1], device=ids.device)  # (B, N)
        return cast(Tensor, words.scatter(1, places[..., None].expand_as(patches), patches))

    def forward(self, ids: Tensor, pixels: Tensor, picture_at: Tensor, real: Tensor) -> Tensor:
        """States (B, L, D) after the final norm of right-padded rows; `real` (B, L) is False at padding."""
        return self.follow(ids, self.patches(pixels), picture_at, real)

    def follow(self, ids: Tensor, patches: Tensor, picture_at: Tensor, real: Tensor) -> Tensor:
        """The same with the picture already seen: patches (B, N, D)."""
        return self.read(self.embed(ids, patches, picture_at), causal_mask(real)).states

    def read(
        self,
        embeddings: Tensor,
        mask: Tensor | None = None,
        positions: Tensor | None = None,
        past: Any = None,
    ) -> "Read":
        """One pass over embeddings (B, L, D) that follow what `past` holds.

        Masks are (B, 1, L, past + L), True where seen; without one all that came before is seen.
        With positions (B, L) a key/value cache is kept and given back.
        """
        output = self.model(
            inputs_embeds=embeddings,
            attention_mask=mask,
            position_ids=positions,
            use_cache=positions is not None,
            **{_CACHE: past},
        )
        return Read(output.last_hidden_state, getattr(output, _CACHE))


@dataclass(frozen=True, slots=True)
class Read:
    """What a pass gives: states (B, L, D) after the final norm, and the key/value cache if one was kept."""

    states: Tensor
    past: Any


def causal_mask(real: Tensor, queries: int | None = None) -> Tensor:
    """(B, 1, Q, L), True where a query may see a key: not later than itself, and real (B, L).

    The queries are the last Q of the L places, all by default. A query that would see nothing, as padding on
    the left, sees itself, because softmax has no answer for it; padding on the right sees all that is real.
    """
    length = real.shape[1]
    asked = queries or length
    place = torch.arange(length, device=real.device)
    query = place[-asked:, None]
    itself_only = (real.cumsum(1) == 0)[:, -asked:, None] & (place == query)  # (B, Q, L)
    return (((place <= query) & real[:, None, :]) | itself_only)[:, None]


def _clip_config(sizes: VisionSizes) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        image_size=sizes.image_size,
        patch_size=sizes.patch_size,
        hidden_size=sizes.hidden_size,
        intermediate_size=sizes.intermediate_size,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        hidden_act=sizes.hidden_act,
        layer_norm_eps=sizes.layer_norm_eps,
        projection_dim=sizes.projection_dim,
    )


def _llama_config(sizes: LanguageSizes) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=sizes.vocab_size,
        hidden_size=sizes.hidden_size,
        intermediate_size=sizes.intermediate_size,
        num_hidden_layers=sizes.layers,
        num_attention_heads=sizes.heads,
        max_position_embeddings=sizes.max_positions,
        rms_norm_eps=sizes.rms_norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": sizes.rope_theta},
        pad_token_id=None,  # else the embedding of <unk> would get no gradient
        tie_word_embeddings=False,
    )
