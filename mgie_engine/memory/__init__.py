"""How a model is kept on its device: in which precision, what is quantised, what waits in main memory."""
