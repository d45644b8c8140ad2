"""Tonal edits in words, and the polite no: wishes this world does not know.

Works on scenes and on procedural photos alike. A photo has no things the model could name, so every wish for
content is answered there with "Nothing changes".
"""

from dataclasses import replace
from random import Random

from mgie_engine.scenes.edits import Edit, State
from mgie_engine.scenes.scene import COLOURS, GROUND_KINDS
from mgie_engine.scenes.tones import STRENGTHS, UNGRADED
from mgie_engine.scenes.wording import PHRASES, Split, article, dress, phrase, plural, say

# operation: (adjectives or complete wishes for training, held out for test)
WISHES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "brighter": (
        ("make it{much} brighter", "brighten it{by}", "{much}brighter", "lighten the picture{by}",
         "more light", "increase the brightness{by}", "make the image{much} brighter", "too dark",
         "turn up the brightness{by}", "it should be{much} brighter", "make it{much} lighter"),
        ("add some brightness{by}", "let it be{much} brighter"),
    ),
    "darker": (
        ("make it{much} darker", "darken it{by}", "{much}darker", "darken the picture{by}", "less light",
         "decrease the brightness{by}", "make the image{much} darker", "too bright", "dim it{by}",
         "it should be{much} darker", "lower the exposure{by}"),
        ("take some light away{by}", "let it be{much} darker"),
    ),
    "contrast": (
        ("increase the contrast{by}", "more contrast", "make it{much} more contrasty", "add contrast{by}",
         "boost the contrast{by}", "raise the contrast{by}", "stronger contrast"),
        ("give it more contrast{by}",),
    ),
    "flat": (
        ("reduce the contrast{by}", "less contrast", "lower the contrast{by}", "make it{much} flatter",
         "softer contrast", "decrease the contrast{by}", "make it look{much} faded"),
        ("take contrast away{by}",),
    ),
    "vivid": (
        ("make it{much} more colourful", "make it{much} more vivid", "increase the saturation{by}",
         "more saturation", "boost the colours{by}", "make the colors pop", "make it{much} more vibrant",
         "saturate it{by}", "stronger colours"),
        ("enrich the colours{by}", "let the colours glow"),
    ),
    "muted": (
        ("make it{much} less colourful", "reduce the saturation{by}", "less saturation",
         "mute the colours{by}",
         "desaturate it{by}", "make the colors{much} more muted", "paler colours",
         "tone the colours down{by}"),
        ("take some colour out{by}",),
    ),
    "warm": (
        ("make it{much} warmer", "warmer colours", "warm it up{by}", "give it a{much} warmer tone",
         "make the light{much} warmer", "add warmth{by}", "warmer", "golden light"),
        ("let the tones be{much} warmer",),
    ),
    "cool": (
        ("make it{much} cooler", "cooler colours", "cool it down{by}", "give it a{much} cooler tone",
         "make the light{much} colder", "colder", "make it{much} bluer", "cold light"),
        ("let the tones be{much} cooler",),
    ),
    "grey": (
        ("make it black and white", "turn it into greyscale", "grayscale", "remove all colour",
         "black and white",
         "make it monochrome", "convert it to black and white", "make the picture grey", "no colours"),
        ("I want a black and white picture",),
    ),
    "sepia": (
        ("make it sepia", "sepia tone", "make it look like an old photo", "give it a sepia look",
         "vintage look",
         "turn it into an old photograph", "make it look old"),
        ("an antique sepia look",),
    ),
    "invert": (
        ("invert the colours", "invert it", "make it a negative", "negative",
         "invert the colors of the image"),
        ("show the negative",),
    ),
    "night": (
        ("make it look like night", "give it a night look", "simulate night", "turn day into night",
         "moonlight look"),
        ("a night mood",),
    ),
    "vignette": (
        ("add a vignette", "add a{much} dark vignette", "darken the corners{by}", "darken the edges{by}",
         "vignette", "give it a vignette"),
        ("put a vignette on it",),
    ),
    "blur": (
        ("blur it{by}", "make it{much} blurry", "blur the picture{by}", "make it{much} softer",
         "soften it{by}",
         "out of focus"),
        ("let it be{much} blurry",),
    ),
    "sharpen": (
        ("sharpen it{by}", "make it{much} sharper", "sharpen the image{by}", "more sharpness", "crisper",
         "increase the sharpness{by}"),
        ("let it be{much} sharper",),
    ),
}  # fmt: skip

EFFECTS = {
    "brighter": "gets brighter", "darker": "gets darker", "contrast": "gets more contrast",
    "flat": "gets less contrast", "vivid": "gets more colourful", "muted": "gets less colourful",
    "warm": "gets warmer", "cool": "gets cooler", "grey": "turns black and white", "sepia": "turns sepia",
    "invert": "turns into its negative", "night": "gets the light of night", "vignette": "gets dark corners",
    "blur": "gets blurred", "sharpen": "gets sharper",
}  # fmt: skip
OPPOSITE = {
    "brighter": "darker", "darker": "brighter", "contrast": "flat", "flat": "contrast", "vivid": "muted",
    "muted": "vivid", "warm": "cool", "cool": "warm", "blur": "sharpen", "sharpen": "blur",
}  # fmt: skip

_MUCH = {
    "little": (" a little", " a bit", " slightly", " a touch"),
    "plain": ("",),
    "much": (" much", " a lot", " way", " far"),
}
_BY = {
    "little": (" a little", " a bit", " slightly"),
    "plain": ("",),
    "much": (" a lot", " strongly", " very much"),
}
_DEGREE = {"little": " a little", "plain": "", "much": " a lot"}

KNOWN_HERE = "I can change drawn things, and the light and colour of any picture."
KNOWN_PHOTO = "On photos I can only change light and colour."

ELSEWHERE: tuple[str, ...] = (
    "remove the man", "add a dog", "make him smile", "remove the person on the left", "give her sunglasses",
    "make the cat orange", "turn the horse into a zebra", "put a hat on him", "add fireworks",
    "remove the text",
    "change her hair to blonde", "make it look like a Van Gogh painting", "make it a cartoon", "add people",
    "turn it into a watercolour", "make her older", "make him younger", "put him on the moon", "add a river",
    "replace the background with Paris", "remove the background", "open the door", "let the dog sleep",
    "add a mountain", "put glasses on the woman", "what is in this picture", "tell me a joke", "hello",
    "who are you", "write a poem", "crop it", "rotate it", "zoom in", "make it 4k", "upscale the picture",
    "make the dress blue", "remove the shadow", "turn the lake into lava", "add a sunset over the ocean",
    "make her eyes green", "make the food look tasty", "add steam to the coffee", "fix the face",
    "make it look like a movie poster", "add my name to it", "change the font", "fill the glass with water",
    "make it anime", "turn them into robots", "add a spaceship", "make the elephant dance", "add a cat",
    "remove the watermark", "replace the pizza with a burger", "let it snow on the city", "asdf", "???",
    "lol",
    "how does this work", "put a tiger in the garden", "add some birds", "make the leaves fall",
    "give the woman a red dress", "remove all the people", "make the road wider", "add a bridge", "ok",
    "nice",
    "turn the statue into gold", "make the waves bigger", "add lightning", "make the bread toasted",
)  # fmt: skip
ELSEWHERE_TEST: tuple[str, ...] = (
    "remove the woman in the back", "add a bear", "make him sad", "turn it into a pencil sketch",
    "put a crown on her", "sing a song", "make the shirt purple", "add a waterfall",
    "replace the dog with a cat",
)  # fmt: skip
_SUBJECTS = (
    "man", "woman", "dog", "cat", "boy", "girl", "horse", "person", "bird", "boat", "bike", "shirt",
    "hat", "table",
    "chair", "lamp", "book", "phone", "river", "mountain", "bridge", "road", "plane", "train", "cup", "plate",
    "fish", "cow", "sheep", "elephant", "baby", "guitar", "clock", "sofa", "pizza", "cake", "apple", "banana",
)  # fmt: skip
_ASKS = (
    "remove the {x}", "add a {x}", "make the {x} {c}", "replace the {x} with a {y}",
    "turn the {x} into a {y}",
    "make the {x} bigger", "put a {x} next to the {y}", "delete the {x}", "change the {x} to {c}",
    "give the {x} a {y}",
)  # fmt: skip


def tonal(rng: Random, state: State, split: Split) -> Edit | None:
    """One operation of light or colour, plain, a little or much."""
    name = rng.choice(tuple(WISHES))
    degree = "plain" if name in UNGRADED or rng.random() < 0.6 else rng.choice(("little", "much"))
    return tone_edit(rng, state, name, degree, wish(rng, name, degree, split))


def wish(rng: Random, name: str, degree: str, split: Split) -> str:
    """An instruction for a tone; graded wishes use a phrasing that can carry the degree."""
    train, held_out = WISHES[name]
    phrasings = held_out if split == "test" else train
    graded = [p for p in phrasings if "{" in p]
    if degree != "plain":
        phrasings = tuple(graded) or tuple(p for p in train if "{" in p) or phrasings
    text = rng.choice(phrasings).format(much=rng.choice(_MUCH[degree]), by=rng.choice(_BY[degree]))
    return dress(rng, text.strip())


def tone_edit(rng: Random, state: State, name: str, degree: str, instruction: str) -> Edit | None:
    """The edit for a tone; None where a chain of tones is long enough or the tone would be a no-op."""
    if len(state.tones) >= 3 or (name in UNGRADED and any(tone == name for tone, _ in state.tones)):
        return None
    text = f"The whole picture {EFFECTS[name]}{_DEGREE[degree]}. All things stay where they are."
    goal = replace(state, tones=(*state.tones, (name, STRENGTHS[degree])))
    return Edit("tonal", instruction, text, goal)


def nothing(rng: Random, state: State, split: Split) -> Edit | None:
    """A wish to leave everything as it is."""
    return Edit("nothing", phrase(rng, "nothing", split), "Nothing changes, as you asked.", state)


def refuse(rng: Random, state: State, split: Split) -> Edit | None:
    """A wish outside this world, or for a thing that is not in the picture."""
    if state.scene and rng.random() < 0.4:
        return _absent(rng, state, split)
    if rng.random() < 0.5:
        words = rng.choice(ELSEWHERE_TEST if split == "test" else ELSEWHERE)
    else:
        x, y = rng.sample(_SUBJECTS, 2)
        words = rng.choice(_ASKS).format(x=x, y=y, c=rng.choice(tuple(COLOURS)))
    reason = KNOWN_HERE if state.scene else KNOWN_PHOTO
    return Edit("refuse", dress(rng, words), f"Nothing changes. {reason}", state)


def _absent(rng: Random, state: State, split: Split) -> Edit | None:
    assert state.scene
    here = {thing.kind for thing in state.scene.things}
    kind = rng.choice([k for k in GROUND_KINDS if k not in here])
    name = say(rng, kind)
    it = rng.choice((f"the {name}", f"the {name}", f"the {say(rng, rng.choice(tuple(COLOURS)))} {name}"))
    asked = rng.choice(("recolour", "remove", "grow", "shrink"))
    fields = {"it": it, "name": it.removeprefix("the "), "colour": say(rng, rng.choice(tuple(COLOURS)))}
    return Edit(
        "refuse", phrase(rng, asked, split, **fields), f"Nothing changes. I see no {kind} here.", state
    )


def content_on_photo(rng: Random, state: State, split: Split) -> Edit | None:
    """A scene wish put to a photo: there is nothing to recolour or remove that the model could name."""
    name, colour = say(rng, rng.choice(GROUND_KINDS)), say(rng, rng.choice(tuple(COLOURS)))
    fields = {
        "it": f"the {name}", "name": name, "names": plural(name), "colour": colour, "where": "",
        "a": article(f"{colour} {name}"), "to": "to the left",
    }  # fmt: skip
    asked = rng.choice(("recolour", "remove", "add", "replace", "grow", "shrink", "move", "sky", "all"))
    return Edit("refuse", phrase(rng, asked, split, **fields), f"Nothing changes. {KNOWN_PHOTO}", state)


assert set(WISHES) == set(EFFECTS)
assert {"recolour", "remove", "add", "replace", "move", "sky", "all"} <= set(PHRASES)
