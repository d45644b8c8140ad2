"""Edits of the surroundings: ground, sky, time of day, weather, and moods that combine several of these."""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from types import MappingProxyType
from typing import Any, cast

from mgie_engine.lab.scenes.expressive_text import AS_ASKED, stays
from mgie_engine.lab.scenes.phrasing import like, table
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import GROUNDS, SKY_COLOURS, TIMES, WEATHERS
from mgie_engine.lab.scenes.scene_edits import Edit, State, to

CLAUSES: Mapping[str, str] = MappingProxyType(
    {
        "ground": "the ground turns from {old} to {new}",
        "sky": "the sky turns from {old} to {new}",
        "time": "the light changes from {old} to {new}",
        "weather": "the weather changes from {old} to {new}",
    }
)
MOODS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "cosy": {"sky": "orange", "time": "sunset"},
        "sunny": {"sky": "blue", "time": "day", "weather": "clear"},
        "spooky": {"time": "night", "weather": "fog"},
        "gloomy": {"sky": "grey", "weather": "rain"},
        "rainy_night": {"time": "night", "weather": "rain"},
        "winter": {"ground": "snow", "weather": "snow"},
        "summer": {"ground": "grass", "time": "day", "weather": "clear"},
    }
)


def surround(state: State, instruction: str, wanted: Mapping[str, str]) -> Edit:
    """The edit after which the surroundings are as `wanted`; nothing changes where they are so already."""
    scene = state.scene
    assert scene
    news = {name: value for name, value in wanted.items() if getattr(scene, name) != value}
    if not news:
        return Edit("nothing", instruction, AS_ASKED, state)
    changes = ((name, clause) for name, clause in CLAUSES.items() if name in news)
    clauses = [clause.format(old=getattr(scene, name), new=news[name]) for name, clause in changes]
    text = " and ".join(clauses)
    goal = to(state, replace(scene, **cast("dict[str, Any]", news)))
    only = next(iter(news)) if len(news) == 1 else ""
    text = f"T{text[1:]}. {stays(scene)}"
    return Edit("background", instruction, text, goal, colour=news.get("sky") if only else None, act=only)


def background(streams: RngStreams, state: State) -> Edit | None:
    """Another ground, sky, time, weather or mood."""
    makers = (_ground, _sky, _time, _weather, _mood)
    return streams.content.choices(makers, (3, 3, 3, 3, 3))[0](streams, state)


def _ground(streams: RngStreams, state: State) -> Edit | None:
    old = state.drawn.ground
    new = streams.content.choice([ground for ground in GROUNDS if ground != old])
    words = streams.phrase("ground", ground=_word(streams.wording, "ground", new), old_ground=old)
    return surround(state, words, {"ground": new})


def _sky(streams: RngStreams, state: State) -> Edit | None:
    new = streams.content.choice([colour for colour in SKY_COLOURS if colour != state.drawn.sky])
    colour = streams.target_colour(new) if streams.wording.random() < 0.5 else streams.say(new)
    words = streams.phrase("sky", colour=colour, like=like(streams.wording, new))
    return surround(state, words, {"sky": new})


def _time(streams: RngStreams, state: State) -> Edit | None:
    old = state.drawn.time
    new = streams.content.choice([time for time in TIMES if time != old])
    known = {
        "time": _word(streams.wording, "time", new),
        "at": _word(streams.wording, "at", new),
        "old_time": old,
    }
    kind = "time" if streams.wording.random() < 0.75 else f"time_{new}"
    return surround(state, streams.phrase(kind, **known), {"time": new})


def _weather(streams: RngStreams, state: State) -> Edit | None:
    old = state.drawn.weather
    new = streams.content.choice([weather for weather in WEATHERS if weather != old])
    if new == "clear":
        plain_snow = old == "snow" and state.drawn.ground != "snow" and streams.wording.random() < 0.6
        noun = "snow" if plain_snow else _word(streams.wording, "weather_noun", old)
        return surround(state, streams.phrase("clear", weather_noun=noun), {"weather": new})
    kind = "weather" if streams.wording.random() < 0.75 else f"weather_{new}"
    known = {
        "weather": _word(streams.wording, "weather", new),
        "weather_noun": _word(streams.wording, "weather_noun", new),
    }
    if state.drawn.ground != new:
        known["old_ground"] = state.drawn.ground
    return surround(state, streams.phrase(kind, **known), {"weather": new})


def again(streams: RngStreams, state: State, aspect: str) -> Edit | None:
    """Change the same aspect of the surroundings again; `aspect`: ground, sky, time, weather."""
    values = {"ground": GROUNDS, "sky": SKY_COLOURS, "time": TIMES, "weather": WEATHERS[1:]}[aspect]
    new = streams.content.choice([value for value in values if value != getattr(state.drawn, aspect)])
    if aspect == "sky":
        words = streams.phrase("it_recolour", colour=streams.target_colour(new))
    else:
        noun = "weather_noun" if aspect == "weather" else aspect
        words = streams.phrase("it_around", what=_word(streams.wording, noun, new))
    return surround(state, words, {aspect: new})


def _mood(streams: RngStreams, state: State) -> Edit | None:
    mood = streams.content.choice(tuple(MOODS))
    return surround(state, streams.phrase(mood), MOODS[mood])


def _word(rng: Random, table_name: str, value: str) -> str:
    usual, *others = table("words")[table_name][value]
    word: str = usual if not others or rng.random() < 0.5 else rng.choice(others)
    return word
