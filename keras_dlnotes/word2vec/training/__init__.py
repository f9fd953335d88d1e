"""How vectors are learned: windows, one step of fixed shape, the descent, and `fit`."""
