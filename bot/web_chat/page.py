"""The page itself: where each part stands, and which handler each gesture calls. Only this file knows gradio.

Every gesture is one plain request and one answer (`queue=False`), so nothing is held open for an edit that
runs: while one does, a timer polls for its progress.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request

from bot.i18n.catalog import ENGLISH, accepted_locale, translator
from bot.web_chat import markup
from bot.web_chat.calls import STRING_CHARS
from bot.web_chat.controller import PageController, PageSettings, PageUpdate, Submission, Visitor, seed_of
from bot.web_chat.presets import offers
from bot.web_chat.samples import Sample
from bot.web_chat.security import person_of
from conversations.errors import SettingsRefused
from conversations.messages import Message
from conversations.settings import RANGES

POLL_S = 0.4
PAPER, NIGHT = "#f6f5f2", "#151513"  # --bg of page.css, for the moment before it arrives
# Buttons drawn by the templates are told apart by page.js and come in here as events of one component.
BUS = "window.addEventListener('mgie-act', (event) => trigger('act', event.detail));"
# page.js knows whether the expressive instruction was typed, and for which turn; see `said` there.
SENT = "(...values) => window.mgieSaid(values)"
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}


@dataclass(frozen=True, slots=True)
class Fields:
    """The parts a person fills in."""

    instruction: gr.Textbox
    expressive: gr.Textbox
    corrects: gr.Textbox  # never shown; filled in by page.js while a message is sent
    presets: gr.HTML
    seed: gr.Textbox
    steps: gr.Slider
    text_cfg: gr.Slider
    image_cfg: gr.Slider

    @property
    def settings(self) -> list[Any]:
        """In the order of `Knobs`."""
        return [self.text_cfg, self.image_cfg, self.steps, self.seed]

    @property
    def all(self) -> list[Any]:
        """All of them, in the order of `_name`."""
        return [self.instruction, self.expressive, *self.settings]


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


def build_page(controller: PageController, model: str, samples: tuple[Sample, ...]) -> gr.Blocks:
    """The whole page; `controller` handles its gestures."""
    with gr.Blocks(
        title=translator(ENGLISH)(Message("page.title")), analytics_enabled=False, fill_width=True
    ) as page:
        with gr.Column(elem_id="app"):
            top = _html("", "top")
            with gr.Column(elem_id="left"):
                stage = _html("", "stage")
                film = _html("", "film")
            with gr.Column(elem_id="right"):
                talk = _html("", "talk")
                with gr.Column(elem_id="composer"):
                    notice = _html("", "notice")
                    instruction = _instruction(controller.longest_instruction)
                    tune = _html("", "tune")
                with gr.Column(elem_id="details"):
                    fields = _fields(instruction, controller.defaults)
            bus = gr.HTML("", elem_id="bus", html_template="", js_on_load=BUS)
            timer, seen = gr.Timer(POLL_S, active=False), gr.State(("", ""))
            parts = Parts(stage, film, talk, notice, timer, seen)
        _wire(page, bus, parts, fields, controller, samples)
        _name(page, [top, tune, *fields.all], model)
    return page


def inputs_of(page: gr.Blocks) -> dict[int, int]:
    """How many values each function of the page takes, by the number that the browser calls it by."""
    return {number: len(function.inputs) for number, function in page.fns.items()}


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


def _instruction(max_length: int) -> gr.Textbox:
    return gr.Textbox(
        **_label(ENGLISH, "instruction", "instruction_hint"),
        lines=1,
        max_lines=4,
        max_length=max_length,
        submit_btn=True,
        elem_id="instruction",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )


def _fields(instruction: gr.Textbox, defaults: PageSettings) -> Fields:
    expressive = gr.Textbox(
        **_label(ENGLISH, "expressive", "expressive_hint"),
        lines=1,
        max_lines=5,
        max_length=STRING_CHARS,
        elem_id="expressive",
        html_attributes=gr.InputHTMLAttributes(autocomplete="off", enterkeyhint="send"),
    )
    presets = _html("", "presets")
    small: dict[str, Any] = {"min_width": 100, "interactive": True}
    with gr.Row(elem_id="knobs"):
        return Fields(
            instruction,
            expressive,
            gr.Textbox(visible=False),
            presets,
            seed=gr.Textbox(
                **_label(ENGLISH, "seed", "random"), max_lines=1, max_length=10, elem_id="seed", **small
            ),
            steps=_slider("steps", defaults.steps, 1),
            text_cfg=_slider("text_cfg", defaults.text_cfg, 0.1),
            image_cfg=_slider("image_cfg", defaults.image_cfg, 0.05),
        )


def _slider(setting: str, value: float, step: float) -> gr.Slider:
    """A slider over the range of a setting, without a button to reset it."""
    return gr.Slider(
        *RANGES[setting],
        value,
        step=step,
        **_label(ENGLISH, setting),
        elem_id=setting.replace("_", "-"),
        buttons=[],
        min_width=100,
        interactive=True,
    )


def _wire(
    page: gr.Blocks,
    bus: gr.HTML,
    parts: Parts,
    fields: Fields,
    controller: PageController,
    samples: tuple[Sample, ...],
) -> None:
    drawn, tuned = parts.drawn(fields), [fields.presets, *fields.settings]

    async def load(request: gr.Request) -> list[Any]:
        visitor = visitor_of(request)
        drawing = _drawing(await controller.current(visitor), ("", ""), samples, visitor.language)
        return [*drawing, *_tuning(await controller.settings(visitor), controller, visitor.language)]

    async def poll(seen: tuple[str, str], request: gr.Request) -> list[Any]:
        visitor = visitor_of(request)
        update = await controller.poll(visitor, seen[0])
        if update is None:
            return [gr.skip()] * len(drawn)
        return [*_drawing(update, seen, samples, visitor.language)[:-2], gr.skip(), gr.skip()]

    async def submit(
        instruction: str,
        expressive: str,
        corrects: str,
        text_cfg: float,
        image_cfg: float,
        steps: float,
        seed: str,
        seen: tuple[str, str],
        request: gr.Request,
    ) -> list[Any]:
        visitor = visitor_of(request)
        try:
            settings = PageSettings(text_cfg, image_cfg, int(steps), seed_of(seed, visitor.language))
        except SettingsRefused as error:
            notice = markup.notice(error.message, visitor.language)
            return [*[gr.skip()] * (len(drawn) - 2), notice, gr.skip(), gr.skip()]
        submission = Submission(instruction, expressive, corrects, settings)
        drawing = _drawing(await controller.submit(visitor, submission), seen, samples, visitor.language)
        return [*drawing, _tuning(await controller.settings(visitor), controller, visitor.language)[0]]

    async def act(seen: tuple[str, str], event: gr.EventData, request: gr.Request) -> list[Any]:
        visitor, gesture = visitor_of(request), event._data if isinstance(event._data, dict) else {}
        drawing = _drawing(await controller.act(visitor, gesture), seen, samples, visitor.language)
        if gesture.get("act") == "preset":
            return [*drawing, *_tuning(await controller.settings(visitor), controller, visitor.language)]
        left_alone = [gr.skip()] * len(tuned)
        if gesture.get("act") == "look":
            return [*drawing[:-2], gr.skip(), gr.skip(), *left_alone]
        return [*drawing, *left_alone]

    page.load(load, None, [*drawn, *tuned], **QUIET)
    parts.timer.tick(poll, parts.seen, drawn, **QUIET)
    given = [fields.instruction, fields.expressive, fields.corrects, *fields.settings, parts.seen]
    for send in (fields.instruction.submit, fields.expressive.submit, fields.seed.submit):
        send(submit, given, [*drawn, fields.presets], js=SENT, trigger_mode="multiple", **QUIET)
    bus.act(act, parts.seen, [*drawn, *tuned], trigger_mode="multiple", **QUIET)


def _label(language: str, name: str, hint: str | None = None) -> dict[str, Any]:
    """What a field is called, and what stands in it while it is empty."""
    translate = translator(language)
    label = {"label": translate(Message(f"page.{name}"))}
    return label | ({"placeholder": translate(Message(f"page.{hint}"))} if hint else {})


def _name(page: gr.Blocks, parts: list[Any], model: str) -> None:
    """Put what never changes on a page into the language of who opens it."""
    hints = {"instruction": "instruction_hint", "expressive": "expressive_hint", "seed": "random"}
    fields = ("instruction", "expressive", "text_cfg", "image_cfg", "steps", "seed")

    async def load(request: gr.Request) -> list[Any]:
        language = visitor_of(request).language
        labels = [gr.update(**_label(language, name, hints.get(name))) for name in fields]
        return [markup.top(model, language), markup.tune(language), *labels]

    page.load(load, None, parts, **QUIET)


def visitor_of(request: gr.Request | Request) -> Visitor:
    """Who sends a request, by its cookie, and in which language they want to be answered."""
    headers = request.headers
    return Visitor(person_of(headers.get("cookie")), accepted_locale(headers.get("accept-language")))


def _tuning(settings: PageSettings, controller: PageController, language: str) -> list[Any]:
    """What the presets and the knobs become."""
    seed = "" if settings.seed is None else str(settings.seed)
    offered = markup.presets(offers(settings, controller.defaults, controller.offers_auto), language)
    return [offered, settings.text_cfg, settings.image_cfg, settings.steps, seed]


def _drawing(
    update: PageUpdate, seen: tuple[str, str], samples: tuple[Sample, ...], language: str
) -> list[Any]:
    """What each drawn part becomes.

    The expressive field is left alone unless there is a new reading, or what stood there was sent.
    """
    reading = update.reading
    return [
        markup.stage(update.state, language, samples),
        markup.film(update.state, language),
        markup.talk(update.state, language),
        gr.Timer(active=update.state.active is not None),
        (update.revision, reading),
        gr.skip() if reading == seen[1] and not update.is_taken else reading,
        markup.notice(update.notice, language),
        "" if update.is_taken else gr.skip(),
    ]
