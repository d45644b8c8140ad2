"""LLaVA's conversation templates by name, at commit 7ace501. Their texts are exact to the character."""

from collections.abc import Mapping
from types import MappingProxyType

from conversations.llava.conversation import Conversation, SeparatorStyle

_HUMAN = ("Human", "Assistant")
_USER = ("USER", "ASSISTANT")
_MPT = ("<|im_start|>user\n", "<|im_start|>assistant\n")

_CURIOUS_HUMAN = (
    "A chat between a curious human and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the human's questions."
)
_CURIOUS_USER = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
_LLAVA = (
    "You are LLaVA, a large language and vision assistant trained by UW Madison WAIV Lab."
    "You are able to understand the visual content that the user provides, "
    "and assist the user with a variety of tasks using natural language."
    "Follow the instructions carefully and explain your answers in detail."
)
_LLAVA_LEGACY = (
    "You are LLaVA, a large language model trained by UW Madison WAIV Lab."
    "You are designed to assist human with a variety of tasks using natural language."
    "Follow the instructions carefully."
)
_MPT_MULTIMODAL = (
    "<|im_start|>system\n"
    "- You are LLaVA, a large language and vision assistant trained by UW Madison WAIV Lab.\n"
    "- You are able to understand the visual content that the user provides, "
    "and assist the user with a variety of tasks using natural language.\n"
    "- You should follow the instructions carefully and explain your answers in detail."
)
_MPT_VISION = (
    "<|im_start|>system\n"
    "- You are a helpful language and vision assistant.\n"
    "- You are able to understand the visual content that the user provides, "
    "and assist the user with a variety of tasks using natural language.\n"
    "- You should follow the instructions carefully and explain your answers in detail."
)
_MPT_TEXT = (
    "<|im_start|>system\n"
    "- You are a helpful assistant chatbot trained by MosaicML.\n"
    "- You answer questions.\n"
    "- You are excited to be able to help the user, but will refuse to do anything that could be considered "
    "harmful to the user.\n"
    "- You are more than just an information source, you are also able to write poetry, short stories, "
    "and make jokes."
)
_ENERGY_QUESTION = "What are the key differences between renewable and non-renewable energy sources?"
_ENERGY_ANSWER = (
    "Renewable energy sources are those that can be replenished naturally in a relatively short "
    "amount of time, such as solar, wind, hydro, geothermal, and biomass. Non-renewable energy "
    "sources, on the other hand, are finite and will eventually be depleted, such as coal, oil, "
    "and natural gas. Here are some key differences between renewable and non-renewable energy "
    "sources:\n"
    "1. Availability: Renewable energy sources are virtually inexhaustible, while non-renewable "
    "energy sources are finite and will eventually run out.\n"
    "2. Environmental impact: Renewable energy sources have a much lower environmental impact "
    "than non-renewable sources, which can lead to air and water pollution, greenhouse gas "
    "emissions, and other negative effects.\n"
    "3. Cost: Renewable energy sources can be more expensive to initially set up, but they "
    "typically have lower operational costs than non-renewable sources.\n"
    "4. Reliability: Renewable energy sources are often more reliable and can be used in more "
    "remote locations than non-renewable sources.\n"
    "5. Flexibility: Renewable energy sources are often more flexible and can be adapted to "
    "different situations and needs, while non-renewable sources are more rigid and inflexible.\n"
    "6. Sustainability: Renewable energy sources are more sustainable over the long term, while "
    "non-renewable sources are not, and their depletion can lead to economic and social "
    "instability.\n"
)


def _single(system: str, question: str, answer: str) -> Conversation:
    example = [[_HUMAN[0], question], [_HUMAN[1], answer]]
    return Conversation(system, _HUMAN, example, offset=2, sep_style=SeparatorStyle.SINGLE, sep="###")


def _two(system: str, roles: tuple[str, str] = _USER, version: str = "v1") -> Conversation:
    return Conversation(
        system, roles, [], offset=0, sep_style=SeparatorStyle.TWO, sep=" ", sep2="</s>", version=version
    )


def _mpt(system: str) -> Conversation:
    return Conversation(
        system, _MPT, [], offset=0, sep_style=SeparatorStyle.MPT, sep="<|im_end|>", version="mpt"
    )


_ENERGY = _single(_CURIOUS_HUMAN, _ENERGY_QUESTION, _ENERGY_ANSWER)

conv_templates: Mapping[str, Conversation] = MappingProxyType(
    {
        "default": _ENERGY,
        "simple": _single(_CURIOUS_HUMAN, "Hi!", "Hi there! How can I help you today?"),
        "simple_legacy": _single(
            _LLAVA_LEGACY, "Hi!\n\n### Response:", "Hi there!  How can I help you today?\n"
        ),
        "multimodal": _single(_LLAVA, "Hi!", "Hi there!  How can I help you today?\n"),
        "mpt_multimodal": _mpt(_MPT_MULTIMODAL),
        "llava_v1": _two(_LLAVA),
        "v1": _ENERGY,
        "bair_v1": _two("BEGINNING OF CONVERSATION:", ("USER", "GPT"), "Unknown"),
        "vicuna_v1_1": _two(_CURIOUS_USER),
        "mpt": _mpt(_MPT_VISION),
        "mpt_text": _mpt(_MPT_TEXT),
    }
)


def template(name: str) -> Conversation:
    """A fresh conversation from the template of that name; KeyError, naming the others, if there is none."""
    if name not in conv_templates:
        raise KeyError(f"no template {name!r}; there are {', '.join(conv_templates)}")
    return conv_templates[name].copy()
