"""Answers on Apache Spark, where one machine is not enough: the same statements over Parquet, handed to the same build."""
