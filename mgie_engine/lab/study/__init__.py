"""The study of strengths: many edits under many pairs of text and image CFG, and their statistics.

sweep.py generates and scores; sweep_results.py stores a line per result; statistics.py, guidelines.py and
fit.py analyse them; study_report.py and markdown_tables.py report.
"""
