from app.events import Event


class LinkMade(Event):
    link_id: int
    owner_id: int


class LinkClosed(Event):
    """Its owner (or a moderator) switched a link off."""

    link_id: int
    owner_id: int


class LinkReopened(Event):
    """Its owner switched it on again, within a week."""

    link_id: int
    owner_id: int


class LinkChanged(Event):
    """Its owner gave it another name, target, route or lifetime."""

    link_id: int
    owner_id: int


class ShortDomainAdded(Event):
    """A store's owner says that a domain is theirs; DNS has to say so too."""

    domain_id: int


class HostAllowed(Event):
    """A store vouches for a further host."""

    store_id: int
    host: str


class HostForbidden(Event):
    """It no longer does; so many links that led there were switched off."""

    store_id: int
    host: str
    closed: int


class ShortDomainUsed(Event):
    """All links of a store have this domain from now on."""

    store_id: int
    host: str


class ShortDomainBlocked(Event):
    """Somebody of the store said that an app blocks this domain."""

    store_id: int
    host: str


class ShortDomainRemoved(Event):
    store_id: int
    host: str
