"""What the numbers say about a net, in words."""
