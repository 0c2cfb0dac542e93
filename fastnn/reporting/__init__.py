"""Floor 3. What a run tells: its history, its progress line, and the terminals it draws on. Imports nothing above."""
