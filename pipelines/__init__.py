"""The commands: one readable script a step."""
