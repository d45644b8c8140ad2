"""One message takes a short way through the bot."""

from pathlib import Path

from benchmarks.trace_message import figures, traced

MODULES = 13  # after the Discord layer, until the result is shown; the package that sorts texts is one


async def test_an_edit_passes_few_modules(tmp_path: Path) -> None:
    trace = await traced(tmp_path)
    passed = figures(trace.returns)
    assert "bot.workflow.dispatcher" in passed["after_discord"]
    assert passed["modules_after_discord"] <= MODULES, passed["after_discord"]
