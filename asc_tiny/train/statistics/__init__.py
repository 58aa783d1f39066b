"""Statistics of features and of batch normalisation."""
