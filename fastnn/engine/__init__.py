"""Floor 1. Calls, programs, tensors, and which implementation runs them. Imports reference and _engine only."""
