"""Charts as Vega-Lite specifications: plain dicts over one frame, because validating objects costs more than drawing.

Each module draws one form and says which columns its frame must have. Colours come from the theme, so that light and
dark need no rerun; what a tooltip says is written in the frame.
"""
