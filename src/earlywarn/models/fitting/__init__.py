"""What is learned: the tables of the features, and the weights of the rules beside them."""
