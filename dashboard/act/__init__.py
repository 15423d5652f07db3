"""What the pages of the section Act show."""
