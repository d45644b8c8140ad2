"""The local chat: a Gradio page over the same workflow as Discord. The only place that imports gradio."""
