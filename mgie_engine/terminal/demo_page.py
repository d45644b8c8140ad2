"""The demo page of MGIE as the field knows it, in Gradio: `demo_page(Editor()).launch()`."""

import gradio as gr
from PIL import Image

from conversations.errors import ConversationError
from conversations.settings import RANGES
from mgie_engine.edits import Progress
from mgie_engine.errors import EngineError
from mgie_engine.python_api.editor import Editor
from mgie_engine.strengths import MAGIX_SEED

TITLE = "# MGIE: edit a picture by saying what to change"


def demo_page(editor: Editor) -> gr.Blocks:
    """The page; programs call `/edit` of it with gradio_client."""

    def edit(
        image: Image.Image | None,
        instruction: str,
        seed: float,
        text_cfg: float,
        image_cfg: float,
        bar: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio hands it over
    ) -> tuple[Image.Image, str]:
        """The edited picture and the expressive instruction."""
        if image is None:
            raise gr.Error("Give an input image first.")

        def show(progress: Progress) -> None:
            bar((progress.step, progress.steps or None), desc=progress.stage)

        try:
            edited = editor.edit(
                image,
                instruction,
                seed=int(seed),
                text_cfg=text_cfg,
                image_cfg=image_cfg,
                progress=show,
            )
        except (EngineError, ConversationError) as error:
            raise gr.Error(str(error)) from error
        return edited.image, edited.expressive

    defaults = editor.config.defaults
    with gr.Blocks(title="MGIE", analytics_enabled=False) as page:
        gr.Markdown(TITLE)
        with gr.Row():
            before = gr.Image(label="Input Image", type="pil", image_mode=None)
            after = gr.Image(label="Goal Image", type="pil", format="png", interactive=False)
        with gr.Row():
            instruction = gr.Textbox(label="Instruction", placeholder="make it darker")
            expressive = gr.Textbox(label="Expressive Instruction", interactive=False)
        with gr.Row():
            seed = gr.Number(label="Seed", value=MAGIX_SEED, precision=0)
            text_cfg = gr.Slider(*RANGES["text_cfg"], value=defaults.text_cfg, step=0.1, label="Text CFG")
            image_cfg = gr.Slider(*RANGES["image_cfg"], value=defaults.image_cfg, step=0.1, label="Image CFG")
        inputs, outputs = [before, instruction, seed, text_cfg, image_cfg], [after, expressive]
        submit = gr.Button("Submit", variant="primary")
        gr.on([submit.click, instruction.submit], edit, inputs, outputs, api_name="edit")
    return page
