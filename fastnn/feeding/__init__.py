"""Floor 4. From what users pass to fit, evaluate and predict to the named arrays that programs read."""
