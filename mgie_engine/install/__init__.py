"""Installs published weights: download, convert to our layout, extract the published files, diagnose."""
