"""What the pages of the section Compare show."""
