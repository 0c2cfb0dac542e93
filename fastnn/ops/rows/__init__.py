"""The rows behind the public ops: one Op per kernel, its shape rule and its gradients, a file a family. Floor 2."""
