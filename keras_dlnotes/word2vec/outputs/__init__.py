"""What predicts a word, in closed form: negative sampling, the tree, the full softmax."""
