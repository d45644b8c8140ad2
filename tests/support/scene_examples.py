"""Generated scene edits as examples, with expressive instructions: data to test training with."""

import itertools
from collections.abc import Iterator

from mgie_engine.lab.data.examples import EditExample
from mgie_engine.lab.scenes.expressive_text import Split
from mgie_engine.lab.scenes.scene_images import pictures, to_image
from mgie_engine.lab.scenes.stories import story
from mgie_engine.serving.pictures import to_png


def scene_examples(
    count: int, side: int = 512, seed: int = 0, split: Split = "train"
) -> Iterator[EditExample]:
    """`count` edits with pictures of side × side pixels; edits that build on one another are a session.

    The same numbers give the same examples.
    """
    number = 0
    for place in itertools.count(seed):
        current_story = story(place, split)
        painted = [to_png(to_image(picture)) for picture in pictures(current_story.states, side)]
        session = f"{split}-{place}" if any(step.before for step in current_story.steps) else ""
        for step in current_story.steps:
            if number == count:
                return
            yield EditExample(
                f"{split}-{place}-{number:06}",
                step.edit.instruction,
                painted[step.before],
                painted[step.after],
                step.edit.expressive,
                session=session,
            )
            number += 1
