"""The model card of a version: what it is, how good it is, and what it must not be used for.

One Markdown text, made from the metadata and the evaluation of the version alone. It answers every
item of TRIPOD+AI, including those for which nothing was done.
"""
