"""The edit head: the states that predict the visual tokens become the guidance of the U-Net."""

from typing import cast

import torch
from torch import Tensor, nn

from mgie_engine.config import EditHeadSizes


class EditHead(nn.Module):
    """A small encoder-decoder transformer from (B, 8, hidden) to (B, 77, out_dim).

    Pre-norm, no mask, no position code: learned queries and the visual tokens' embeddings tell places apart.
    Submodules are named as in the released `mllm.pt`.
    """

    def __init__(self, sizes: EditHeadSizes, hidden_size: int) -> None:
        super().__init__()
        self.sizes = sizes
        self.llm2hid = nn.Linear(hidden_size, sizes.width)
        self.query = nn.Parameter(torch.randn(1, sizes.queries, sizes.width))
        self.mapper = _transformer(sizes)
        self.hid2feat = nn.Linear(sizes.width, sizes.out_dim)

    def forward(self, states: Tensor, embeddings: Tensor) -> Tensor:
        """Guidance (B, 77, out) of states (B, 8, hidden) and visual token embeddings (1, 8, hidden)."""
        hidden = self.llm2hid(states + embeddings)  # (B, 8, width)
        queries = self.query.expand(len(hidden), -1, -1)  # (B, 77, width)
        return cast(Tensor, self.hid2feat(self.mapper(hidden, queries)))

    def null(self, embeddings: Tensor) -> Tensor:
        """The guidance that means "no instruction": (1, 77, out)."""
        # Zeros, not an empty prompt: training taught the weights that this means "no instruction".
        zeros = embeddings.new_zeros(1, self.sizes.visual_tokens, embeddings.shape[-1])
        return cast(Tensor, self(zeros, embeddings))


def _transformer(sizes: EditHeadSizes) -> nn.Transformer:
    layer = nn.TransformerEncoderLayer(
        sizes.width, sizes.heads, sizes.feedforward, dropout=0.0, batch_first=True, norm_first=True
    )
    # Nested tensors are a shortcut for padded batches; ours have none, and asking for them only warns.
    encoder = nn.TransformerEncoder(
        layer, sizes.encoder_layers, nn.LayerNorm(sizes.width), enable_nested_tensor=False
    )
    return nn.Transformer(
        sizes.width,
        sizes.heads,
        num_decoder_layers=sizes.decoder_layers,
        dim_feedforward=sizes.feedforward,
        dropout=0.0,
        custom_encoder=encoder,
        batch_first=True,
        norm_first=True,
    )
