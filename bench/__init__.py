"""How long loads and questions take, as ratios to the bare tools beneath them, measured in one run on one machine."""
