"""The only meeting of Streamlit and the rest of Tenken."""
