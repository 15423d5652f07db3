"""Who may see what: sign-in, roles and scope, and the log of who saw what."""
