"""Heat maps are well-formed and show every pair."""

from xml.etree import ElementTree as Xml

from mgie_engine.lab.study.heatmap import HeatMapPanel, heat_maps

SVG = "{http://www.w3.org/2000/svg}"
VALUES = {(2.0, 1.2): 0.0, (4.0, 1.2): 100.0, (2.0, 1.6): 50.0}


def drawn(*panels: HeatMapPanel) -> Xml.Element:
    return Xml.fromstring(heat_maps("a & b", panels, (2.0, 1.2)))


def test_every_pair_has_a_square_and_the_models_own_a_frame():
    page = drawn(HeatMapPanel("success", VALUES, 0, 100))
    squares = page.findall(f"{SVG}rect")[1:]
    assert len(squares) == 3
    assert [square.get("stroke") is not None for square in squares] == [True, False, False]


def test_values_titles_and_axes_are_written():
    texts = [text.text for text in drawn(HeatMapPanel("success", VALUES, 0, 100)).findall(f"{SVG}text")]
    assert {"a & b", "success", "2", "4", "1.2", "1.6", "0", "100", "50"} <= set(texts)


def test_the_ends_of_the_scale_have_the_ends_of_the_colours():
    low, high, _ = (r.get("fill") for r in drawn(HeatMapPanel("s", VALUES, 0, 100)).findall(f"{SVG}rect")[1:])
    assert (low, high) == ("#f7f3e8", "#2a786e")


def test_values_off_the_scale_and_a_scale_of_nothing_are_drawn():
    assert (
        len(drawn(HeatMapPanel("s", VALUES, 40, 60), HeatMapPanel("t", VALUES, 1, 1)).findall(f"{SVG}rect"))
        == 7
    )
