"""From text to numbers: files are read, words counted, chosen and encoded."""
