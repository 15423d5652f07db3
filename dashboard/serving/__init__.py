"""The server around the pages: headers, refusals, guards of sign-in, errors."""
