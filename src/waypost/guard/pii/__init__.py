"""Personal data: found by form (recognisers) and by meaning (the token classifier), then merged."""
