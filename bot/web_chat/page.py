"""The page itself: where each part stands, and which handler each gesture calls. Only this file knows gradio.

Every gesture is one plain request and one answer (`queue=False`), so nothing is held open for an edit that
runs: while one does, a timer glances at the board.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from fastapi import FastAPI

from bot.web_chat import markup
from bot.web_chat.desk import Desk, Knobs, Said, Sight, seed_of
from bot.web_chat.gate import person_of
from bot.web_chat.samples import Sample

TITLE = "mgie · edit pictures by talking"
LONGEST_WORDS = 400
GLANCE_S = 0.4
PAPER, NIGHT = "#f6f5f2", "#151513"  # --bg of page.css, for the moment before it arrives
# Buttons drawn by the templates are told apart by page.js and come in here as events of one component.
BUS = "window.addEventListener('mgie-act', (event) => trigger('act', event.detail));"
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True, slots=True)
class Fields:
    """The parts a person fills in."""

    instruction: gr.Textbox
    expressive: gr.Textbox
    seed: gr.Textbox
    steps: gr.Slider
    text_cfg: gr.Slider
    image_cfg: gr.Slider

    @property
    def knobs(self) -> list[Any]:
        """In the order of `Knobs`."""
        return [self.text_cfg, self.image_cfg, self.steps, self.seed]


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts drawn from what the desk says; `seen` is the mark and the reading a page has."""

    stage: gr.HTML
    film: gr.HTML
    talk: gr.HTML
    notice: gr.HTML
    timer: gr.Timer
    seen: gr.State

    def drawn(self, fields: Fields) -> list[Any]:
        """Everything a gesture may change, in the order of `_drawing`."""
        return [
            self.stage,
            self.film,
            self.talk,
            self.timer,
            self.seen,
            fields.expressive,
            self.notice,
            fields.instruction,
        ]


def build_page(desk: Desk, model: str, defaults: Knobs, samples: tuple[Sample, ...]) -> gr.Blocks:
    """The whole page; `desk` answers its gestures."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        with gr.Column(elem_id="app"):
            _html(markup.top(model), "top")
            with gr.Column(elem_id="left"):
                stage = _html("", "stage")
                film = _html("", "film")
            with gr.Column(elem_id="right"):
                talk = _html("", "talk")
                with gr.Column(elem_id="composer"):
                    notice = _html("", "notice")
                    instruction = _instruction()
                    _html(markup.tune(), "tune")
                with gr.Column(elem_id="details"):
                    fields = _fields(instruction, defaults)
            bus = gr.HTML("", elem_id="bus", html_template="", js_on_load=BUS)
            parts = Parts(stage, film, talk, notice, gr.Timer(GLANCE_S, active=False), gr.State(("", "")))
        _wire(page, bus, parts, fields, desk, samples)
    return page


def mount(app: FastAPI, page: gr.Blocks) -> FastAPI:
    """The page at the root of `app`: no footer, no telemetry, no record of runs, nothing from elsewhere."""
    theme = gr.themes.Base(font=["sans-serif"], font_mono=["monospace"])  # plain names: no web fonts
    theme.set(body_background_fill=PAPER, body_background_fill_dark=NIGHT)
    head = '<link rel="stylesheet" href="page.css"><script src="page.js"></script>'
    mounted: FastAPI = gr.mount_gradio_app(
        app,
        page,
        "/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        theme=theme,
        head=head,
    )
    return mounted


def _html(value: str, name: str) -> gr.HTML:
    return gr.HTML(value, elem_id=name, apply_default_css=False)


def _instruction() -> gr.Textbox:
    return gr.Textbox(
        label="Instruction",
        placeholder="Say what to change",
        lines=1,
        max_lines=4,
        max_length=LONGEST_WORDS,
        submit_btn=True,
        elem_id="instruction",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )


def _fields(instruction: gr.Textbox, defaults: Knobs) -> Fields:
    expressive = gr.Textbox(
        label="Expressive Instruction",
        placeholder="How the model understands you appears here. Correct it if it is wrong.",
        lines=1,
        max_lines=5,
        elem_id="expressive",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )
    small: dict[str, Any] = {"min_width": 100, "interactive": True}
    with gr.Row(elem_id="knobs"):
        no_reset: dict[str, Any] = {"buttons": [], **small}
        return Fields(
            instruction,
            expressive,
            seed=gr.Textbox(
                label="Seed", placeholder="random", max_lines=1, max_length=10, elem_id="seed", **small
            ),
            steps=gr.Slider(1, 100, defaults.steps, step=1, label="Steps", elem_id="steps", **no_reset),
            text_cfg=gr.Slider(
                1, 20, defaults.text_cfg, step=0.1, label="Text CFG", elem_id="text-cfg", **no_reset
            ),
            image_cfg=gr.Slider(
                0, 5, defaults.image_cfg, step=0.05, label="Image CFG", elem_id="image-cfg", **no_reset
            ),
        )


def _wire(
    page: gr.Blocks, bus: gr.HTML, parts: Parts, fields: Fields, desk: Desk, samples: tuple[Sample, ...]
) -> None:
    drawn = parts.drawn(fields)

    async def load(request: gr.Request) -> list[Any]:
        person = _person(request)
        knobs = await desk.knobs(person)
        seed = "" if knobs.seed is None else str(knobs.seed)
        drawing = _drawing(await desk.look(person), ("", ""), samples)
        return [*drawing, knobs.text_cfg, knobs.image_cfg, knobs.steps, seed]

    async def glance(seen: tuple[str, str], request: gr.Request) -> list[Any]:
        sight = await desk.glance(_person(request), seen[0])
        if sight is None:
            return [gr.skip()] * len(drawn)
        return [*_drawing(sight, seen, samples)[:-2], gr.skip(), gr.skip()]

    async def say(
        instruction: str,
        expressive: str,
        text_cfg: float,
        image_cfg: float,
        steps: float,
        seed: str,
        seen: tuple[str, str],
        request: gr.Request,
    ) -> list[Any]:
        try:
            knobs = Knobs(text_cfg, image_cfg, int(steps), seed_of(seed))
        except ValueError as error:
            return [*[gr.skip()] * (len(drawn) - 2), markup.notice(str(error)), gr.skip()]
        said = Said(instruction, expressive, seen[1], knobs)
        return _drawing(await desk.say(_person(request), said), seen, samples)

    async def act(seen: tuple[str, str], event: gr.EventData, request: gr.Request) -> list[Any]:
        gesture = event._data if isinstance(event._data, dict) else {}
        drawing = _drawing(await desk.act(_person(request), gesture), seen, samples)
        return [*drawing[:-2], gr.skip(), gr.skip()] if gesture.get("act") == "look" else drawing

    page.load(load, None, [*drawn, *fields.knobs], **QUIET)
    parts.timer.tick(glance, parts.seen, drawn, **QUIET)
    given = [fields.instruction, fields.expressive, *fields.knobs, parts.seen]
    for send in (fields.instruction.submit, fields.expressive.submit, fields.seed.submit):
        send(say, given, drawn, trigger_mode="multiple", **QUIET)
    bus.act(act, parts.seen, drawn, trigger_mode="multiple", **QUIET)


def _person(request: gr.Request) -> str | None:
    return person_of(request.headers.get("cookie"))


def _drawing(sight: Sight, seen: tuple[str, str], samples: tuple[Sample, ...]) -> list[Any]:
    """What each drawn part becomes; the expressive field is left alone unless there is a new reading."""
    reading = sight.reading
    return [
        markup.stage(sight.view, samples),
        markup.film(sight.view),
        markup.talk(sight.view),
        gr.Timer(active=sight.view.active is not None),
        (sight.mark, reading),
        gr.skip() if reading == seen[1] else reading,
        markup.notice(sight.notice),
        "" if sight.taken else gr.skip(),
    ]
