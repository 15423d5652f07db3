"""What the pages of the section Group show."""
