"""The query layer: what every metric and dimension means, and the one way from a question to its figures."""
