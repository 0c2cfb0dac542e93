"""Floor 4, below training. From what users pass to fit, evaluate and predict to the named arrays that programs read."""
