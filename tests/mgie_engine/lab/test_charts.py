"""Charts are well-formed SVG that shows every value with its axes."""

from xml.etree import ElementTree

from mgie_engine.lab.charts import HeatMapPanel, IntervalPanel, curves, heat_maps, intervals

VALUES = {(2.0, 1.2): 0.0, (4.0, 1.2): 100.0, (2.0, 1.6): 50.0}


def texts(svg: str) -> list[str]:
    page = ElementTree.fromstring(svg)
    return [text.text or "" for text in page.iter("{http://www.w3.org/2000/svg}text")]


def test_a_heat_map_shows_every_pair_with_its_value_and_both_axes() -> None:
    shown = texts(heat_maps("a & b", [HeatMapPanel("success", VALUES, 0, 100)], (2.0, 1.2)))
    assert {"a & b", "success", "text CFG", "image CFG", "2", "4", "1.2", "1.6", "0", "100", "50"} <= set(
        shown
    )


def test_the_colours_of_a_heat_map_reach_from_end_to_end_of_the_scale() -> None:
    svg = heat_maps("a", [HeatMapPanel("s", VALUES, 0, 100)], (2.0, 1.2))
    assert "#f7f3e8" in svg
    assert "#2a786e" in svg


def test_values_off_the_scale_and_a_scale_of_nothing_are_drawn() -> None:
    panels = [HeatMapPanel("s", VALUES, 40, 60), HeatMapPanel("t", VALUES, 1, 1)]
    assert texts(heat_maps("a", panels, (2.0, 1.2))).count("text CFG") == 2


def test_intervals_name_every_model_once() -> None:
    shares = {"mine & co": (0.5, 0.4, 0.6), "theirs": (0.2, 0.1, 0.4)}
    shown = texts(intervals([IntervalPanel("all", shares), IntervalPanel("some", shares)]))
    assert shown.count("mine & co") == 1
    assert shown.count("share of edits (%)") == 2


def test_curves_are_named_and_their_axes_labelled() -> None:
    shown = texts(curves({"ten turns": {"raw": [35.0, 30.0], "restored": [50.0, 45.0]}}))
    assert {"ten turns", "raw", "restored", "turn", "PSNR (dB)"} <= set(shown)


def test_the_same_values_give_the_same_text() -> None:
    panels = [HeatMapPanel("s", VALUES, 0, 100)]
    assert heat_maps("a", panels, (2.0, 1.2)) == heat_maps("a", panels, (2.0, 1.2))
