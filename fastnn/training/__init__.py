"""Floor 5. compile, fit, evaluate and predict: the recorded steps, the loops that replay them, and what watches.
"""
