"""What the pages of the section Drill show."""
