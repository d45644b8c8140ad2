"""Weights from elsewhere and back: fetch, bring into our layout, make the published files of ours."""
