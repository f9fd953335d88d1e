"""What can be asked of words with vectors, and how good the answers are."""
