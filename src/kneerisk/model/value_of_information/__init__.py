"""Value of information: what each test that was not done would tell (preposterior analysis)."""
