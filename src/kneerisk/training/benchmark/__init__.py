"""The benchmark on published data: questions, contenders, judging, and how it is shown."""
