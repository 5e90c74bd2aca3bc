"""Choosing the settings of a fit: a study that several processes share and that survives a kill.

`objective` says what is tried and what it is measured by; `study` keeps the trials in a journal,
`locks` say which process is alive, `worker` runs trials, `search` runs the workers and `winner`
records what was found, with plots.
"""
