"""OpenID providers on the loopback for the tests of sign-in: two real ones and one that misbehaves on demand."""
