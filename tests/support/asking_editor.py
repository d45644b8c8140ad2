"""An editor that doubts what begins with "maybe" and what names the sky."""

from dataclasses import replace

from mgie_engine.edits import Doubt, EditRequest, EditResult, Report
from tests.support.fakes import EchoEditor


class AskingEditor(EchoEditor):
    """Keeps the requests that it painted."""

    def __init__(self) -> None:
        super().__init__()
        self.painted: list[EditRequest] = []

    async def run(self, request: EditRequest, report: Report) -> EditResult:
        """The picture, or a question, as the settings ask."""
        result = await super().run(request, report)
        doubt = None if request.reading else _doubt(request.instruction)
        if doubt is None or request.settings.ask == "off":
            self.painted.append(request)
            return result
        if doubt is Doubt.WHOLE:
            asked = replace(result, expressive="The whole picture gets darker.", region="sky")
        else:
            others = ("The ball turns blue and turns blue.", "The car turns blue.")
            asked = replace(result, expressive="The ball turns blue.", other_readings=others)
        return replace(asked, is_question=True, doubt=doubt, confidence=0.5)


def _doubt(instruction: str) -> Doubt | None:
    if "sky" in instruction:
        return Doubt.WHOLE
    return Doubt.UNSURE if instruction.startswith("maybe") else None
