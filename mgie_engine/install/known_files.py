"""What is known of the published files from elsewhere than the hub that serves them. Imports no torch.

The sums of CLIP are in several projects that publish what they use. For Apple's differentials, LLaVA
and InstructPix2Pix there are none; their sums come from the hub, and a revision is pinned where it is known.
"""

from collections.abc import Mapping

from mgie_engine.checkpoints.layout import CLIP
from mgie_engine.install.ledger import Checksums

KNOWN_FILES: Mapping[str, Checksums] = {  # by place in the model's folder
    f"{CLIP}/model.safetensors": Checksums(
        1_710_540_580, "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb"
    ),
}
