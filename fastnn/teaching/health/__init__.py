"""What a network is ill with: checks of its data, of one recorded training step, and of its history. Floor 5."""
