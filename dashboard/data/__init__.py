"""What the pages of the section Data show."""
