"""Points of the normal distribution: limits of 90 or 95 % are so many standard errors off."""

#: The 95 % point, for limits of 90 %.
NORMAL_90 = 1.6449
#: The 97.5 % point, for limits of 95 %.
NORMAL_95 = 1.959964
#: The same as papers round it, from whose limits a standard error is read.
PUBLISHED_95 = 1.96
