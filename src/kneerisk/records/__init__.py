"""A club's database: athletes, visits, answers, outcomes, keys, an audit. Optional at run time."""
