"""The secret keys an entry's hash may be made with: who has none cannot write a chain anew."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from trimtab.errors import IntegrityError

VARIABLE = "TRIMTAB_LEDGER_KEY"
SHORTEST = 32  # characters: 16 random bytes as hexadecimal digits


@dataclass(frozen=True)
class Key:
    """One secret; its ``id`` may be told to anybody."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """A name that does not give the secret away."""
        return self.sign(b"trimtab ledger key")[:16]

    def sign(self, data: bytes) -> str:
        """HMAC-SHA256 of ``data``, in hexadecimal digits."""
        return hmac.new(self.secret, data, hashlib.sha256).hexdigest()


class Keyring:
    """The key of new entries, and older ones that entries of before were made with."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._keys = [Key(secret.encode()) for secret in secrets]

    @classmethod
    def of(cls, text: str) -> "Keyring":
        """Read keys from text: the newest first, commas between them, as Airflow's Fernet keys.

        Raises:
            IntegrityError: a key is short enough to be guessed.
        """
        secrets = [part.strip() for part in text.split(",") if part.strip()]
        if any(len(secret) < SHORTEST for secret in secrets):
            raise IntegrityError(
                f"{VARIABLE} holds a key of fewer than {SHORTEST} characters; make one with "
                "python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        return cls(secrets)

    @property
    def current(self) -> Key | None:
        """The key for what is written from now on, None without any."""
        return self._keys[0] if self._keys else None

    def find(self, name: str) -> Key | None:
        """Return the key with this id."""
        return next((key for key in self._keys if key.id == name), None)
