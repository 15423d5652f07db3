"""An OpenID provider in this process that signs in whom it is told to, with whatever is wrong with the token."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

SECONDS_OF_TOKEN = 300
Claims = dict[str, Any]


def leave(claims: Claims) -> Claims:
    """As the standard wants them."""
    return claims


def sign(claims: Claims, key: RSAKey) -> str:
    """An ID token as the standard wants it."""
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, key)


def sign_not(claims: Claims, key: RSAKey) -> str:
    """A token that says of itself that it has no signature."""
    parts = ({"alg": "none", "kid": key.kid}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def sign_with_another_key(claims: Claims, key: RSAKey) -> str:
    """A token whose signature is of a key that the provider does not publish."""
    return jwt.encode({"alg": "RS256", "kid": key.kid}, claims, RSAKey.generate_key(2048))


@dataclass
class CrookedProvider:
    """What it tells at the next sign-in; the address is known once it listens."""

    user: Claims
    address: str = ""
    twist: Callable[[Claims], Claims] = leave
    signing: Callable[[Claims, RSAKey], str] = sign
    is_away: bool = False
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "only-key"}))
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    @contextmanager
    def telling(
        self, twist: Callable[[Claims], Claims] = leave, signing: Callable[[Claims, RSAKey], str] = sign
    ) -> Iterator[None]:
        """Misbehave like this for a while."""
        self.twist, self.signing = twist, signing
        try:
            yield
        finally:
            self.twist, self.signing = leave, sign

    @contextmanager
    def staying_away(self) -> Iterator[None]:
        """Answer nothing for a while: every connection is closed at once."""
        self.is_away = True
        try:
            yield
        finally:
            self.is_away = False

    def answer(self, path: str, fields: dict[str, str]) -> Claims | str:
        """The document at a path, or where to go next."""
        if path == "/authorize":
            code = secrets.token_urlsafe(16)
            self.asked[code] = fields
            return f"{fields['redirect_uri']}?{urlencode({'code': code, 'state': fields['state']})}"
        if path == "/token":
            return self.make_tokens(self.asked.pop(fields["code"]))
        if path == "/keys":
            return {"keys": [self.key.as_dict(private=False)]}
        return {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def make_tokens(self, asked: dict[str, str]) -> Claims:
        """The answer to an application that hands a code in."""
        now = int(time.time())
        claims = {
            "iss": self.address,
            "aud": asked["client_id"],
            "nonce": asked.get("nonce"),
            "iat": now,
            "exp": now + SECONDS_OF_TOKEN,
            **self.user,
        }
        told = self.signing(self.twist(claims), self.key)
        return {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "id_token": told}


@contextmanager
def run_crooked_provider(user: Claims) -> Iterator[CrookedProvider]:
    """A provider that signs this user in without asking, for as long as it is needed."""
    provider = CrookedProvider(user)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self.send(self.rfile.read(int(self.headers["content-length"])).decode())

        def send(self, query: str) -> None:
            if provider.is_away:
                self.close_connection = True
                return
            fields = {name: values[0] for name, values in parse_qs(query).items()}
            answer = provider.answer(urlsplit(self.path).path, fields)
            if isinstance(answer, str):
                self.send_response(302)
                self.send_header("location", answer)
                self.end_headers()
                return
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed between the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        provider.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
