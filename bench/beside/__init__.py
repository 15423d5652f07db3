"""The same four charts over the same answers by three programs: Tenken, a pandas page in Streamlit, Apache Superset."""
