"""Statistics on frames: pure functions without Streamlit and SQL."""
