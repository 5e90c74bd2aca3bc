"""How good a served model is lately: told against observed, alarm, inputs, what to do."""
