"""Where in a fit the gradients and outputs are seen, and when it begins and ends."""
