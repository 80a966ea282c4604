"""Models in use: have the children changed, did it come true, which of two is better."""
