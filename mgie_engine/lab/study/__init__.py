"""The study of strengths: many edits under many pairs of text and image CFG, and what can be learned from it.

sweep.py paints and judges; cells.py keeps what was found, a line per painting; means.py, guidelines.py and
fitting.py read it; heat.py and report.py show it.
"""
