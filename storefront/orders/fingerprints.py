"""What we keep of a customer's e-mail: keyed hashes, which find the same address again and tell nothing else."""

from app.auth import sign

# Providers whose mailboxes ignore dots in the name.
_DOTS_DO_NOT_COUNT = {"gmail.com", "googlemail.com"}


def email_fingerprint(email: str) -> str:
    """The address as it was told, whatever its case."""
    return sign("email", email.strip().lower()) if email.strip() else ""


def mailbox_fingerprint(email: str) -> str:
    """The mailbox behind the address: `ann.b+shop@googlemail.com` reaches `annb@gmail.com`.

    Good for suspicion (whoever buys by their own link), never as proof that two people are one.
    """
    name, _at, host = email.strip().lower().rpartition("@")
    name = name.partition("+")[0] or name
    if host in _DOTS_DO_NOT_COUNT:
        name, host = name.replace(".", ""), "gmail.com"
    return sign("mailbox", f"{name}@{host}") if name else ""
