"""How good a model is, on data whose truth is known."""
