"""Choosing the settings of a fit: a study that several processes share and that survives a kill.

`space` says what is tried and `objective` what it is judged by; `study` keeps the trials in a
journal, `locks` tell who is alive, `worker` works; `pictures` show what was found.
"""

from kneerisk.training.tuning.objective import Objective
from kneerisk.training.tuning.study import Study
from kneerisk.training.tuning.trial_runs import trial_runs
from kneerisk.training.tuning.tuning_plots import pictures
from kneerisk.training.tuning.worker import work

__all__ = ["Objective", "Study", "pictures", "trial_runs", "work"]
