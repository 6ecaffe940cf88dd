"""CSV and Parquet exports, read as a mapping says."""
