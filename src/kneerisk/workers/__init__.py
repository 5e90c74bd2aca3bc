"""Where work is done that falls into pieces: in this process, in several, or on a Dask cluster."""
