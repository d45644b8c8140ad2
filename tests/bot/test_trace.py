"""One message takes a short way through the bot."""

from pathlib import Path

from benchmarks.trace_message import figures, traced

MODULES = 14  # from the moment at which the Discord layer hands the event over, until the result is shown


async def test_an_edit_passes_few_modules(tmp_path: Path) -> None:
    trace = await traced(tmp_path)
    passed = figures(trace.after)
    assert "bot.workflow.dispatcher" in passed["names"]
    assert passed["modules"] <= MODULES, passed["names"]


async def test_a_text_is_sorted_once_before_the_event_is_handed_over(tmp_path: Path) -> None:
    trace = await traced(tmp_path)
    assert any(module.startswith("conversations.intents") for module in trace.reading)
    assert not any(module.startswith("conversations.intents") for module in trace.after)
