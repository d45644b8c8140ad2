"""Layouts, buttons, modals and attachments of Discord messages."""
