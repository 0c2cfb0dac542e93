"""Floor 4. Data checks, the recorded steps, fit / evaluate / predict, history and progress."""
