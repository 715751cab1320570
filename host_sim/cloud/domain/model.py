"""The tables: people, organisations, devices, shares, keys, statements.

Imports SQLAlchemy only. Instants are whole Unix seconds. An `id` is small and guessable, for the
APIs that number things; it opens nothing. A `uid` is 32 random hexadecimal digits. Shares and
statements are never deleted: what has ended says when.
"""

from secrets import token_hex
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# How somebody came to a share.
OWNERSHIP = "ownership"
INVITATION = "invitation"
ROLE = "role"
PASSED_ON = "passed on"

# What has become of it.
PENDING = "pending"
ACCEPTED = "accepted"
ENDED = "ended"


def new_uid() -> str:
    """A new identity of 128 random bits."""
    return token_hex(16)


def new_lock_id() -> str:
    """A new lock id of 64 random bits; a factory reset needs one."""
    return token_hex(8)


class Base(DeclarativeBase):
    """Of all tables."""

    # SQLite numbers rows by itself only in a column of the type INTEGER.
    type_annotation_map = {int: BigInteger().with_variant(Integer, "sqlite")}


class Person(Base):
    """Somebody with an account. An address that nobody has confirmed yet gives no rights."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    email: Mapped[str] = mapped_column(String(254))  # as typed
    email_key: Mapped[str] = mapped_column(String(254), unique=True)  # as compared
    name: Mapped[str] = mapped_column(String(100))
    password: Mapped[str] = mapped_column(String(200))  # argon2, with its parameters
    created_at: Mapped[int]
    confirmed_at: Mapped[int | None]


class Token(Base):
    """What a caller shows: of a log-in, or a personal one with scopes. Only its hash is kept."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[list[str] | None] = mapped_column(JSON)  # None for a log-in: all of them
    created_at: Mapped[int]
    expires_at: Mapped[int | None]
    revoked_at: Mapped[int | None]
    person: Mapped[Person] = relationship()


class Link(Base):
    """A link in a mail, good once: to confirm an address, set a password, accept something."""

    __tablename__ = "links"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256
    purpose: Mapped[str] = mapped_column(String(20))
    email_key: Mapped[str] = mapped_column(String(254))  # whom it was sent to
    subject_id: Mapped[int | None]  # the row that it is about, if its purpose has one
    created_at: Mapped[int]
    expires_at: Mapped[int]
    used_at: Mapped[int | None]


class Mail(Base):
    """A mail to send once the transaction that wrote it is done."""

    __tablename__ = "mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(254))
    subject: Mapped[str] = mapped_column(String(200))
    text: Mapped[str]
    created_at: Mapped[int]
    sent_at: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)


class Organisation(Base):
    """One person, a family or a company; below another one, or at the root."""

    __tablename__ = "organisations"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    name: Mapped[str] = mapped_column(String(100))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    created_at: Mapped[int]
    parent: Mapped["Organisation | None"] = relationship(remote_side=[id])
    roles: Mapped[list["Role"]] = relationship(back_populates="organisation", order_by="Role.id")


class Role(Base):
    """What members of an organisation may do: names of `organisations.PERMISSIONS`."""

    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("organisation_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    name: Mapped[str] = mapped_column(String(100))
    permissions: Mapped[list[str]] = mapped_column(JSON)
    organisation: Mapped[Organisation] = relationship(back_populates="roles")


class Member(Base):
    """A person in an organisation, or an address that was invited to it and has not come yet."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("organisation_id", "email_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    role_id: Mapped[int] = mapped_column(ForeignKey("roles.id"))
    home: Mapped[bool] = mapped_column(default=False)  # the one that the person started with
    invited_at: Mapped[int]
    joined_at: Mapped[int | None]
    organisation: Mapped[Organisation] = relationship()
    person: Mapped[Person | None] = relationship()
    role: Mapped[Role] = relationship()


class Device(Base):
    """A lock. `lock_id` is what its grants are for; `sequence` changes were signed for it."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    # The most that fits a slot of the grant cache, as text.
    lock_id: Mapped[str] = mapped_column(String(16), unique=True, default=new_lock_id)
    name: Mapped[str] = mapped_column(String(100))
    private_type: Mapped[bool] = mapped_column(default=False)  # ARTIK: not to be shared
    owner_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    zone: Mapped[str] = mapped_column(String(100))  # POSIX TZ
    settings: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # beside the zone
    settings_version: Mapped[int] = mapped_column(default=1)
    public_key: Mapped[bytes | None]  # x and y, once it is provisioned
    token_digest: Mapped[str | None] = mapped_column(  # SHA-256 of the token of a device (ARTIK)
        String(64), unique=True, index=True
    )
    sequence: Mapped[int] = mapped_column(default=0)
    applied: Mapped[int] = mapped_column(default=0)  # the sequence that the lock says it has
    state: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)  # as it last said
    state_at: Mapped[int | None]
    renewed: Mapped[int | None]  # the last renewal (a statement's id) that the lock answered
    ahead: Mapped[
        int | None
    ]  # what the lock has applied beyond this database, put back from a copy
    created_at: Mapped[int]
    deleted_at: Mapped[int | None]
    owner: Mapped[Person] = relationship()
    organisation: Mapped[Organisation] = relationship()


class Share(Base):
    """The relation between a device and somebody. `uid` is the share id of its grants."""

    __tablename__ = "shares"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    person_id: Mapped[int | None] = mapped_column(
        ForeignKey("people.id"), index=True
    )  # its holder
    origin: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20))
    by_link: Mapped[bool] = mapped_column(default=False)  # pending until a link is followed
    version: Mapped[int] = mapped_column(default=1)
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)  # as `cloud.terms.Terms` reads them
    lease_s: Mapped[int | None]  # a grant lasts so long and is renewed in time; None for always
    may_pass_on: Mapped[bool] = mapped_column(default=False)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("shares.id"), index=True)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    created_at: Mapped[int]
    accepted_at: Mapped[int | None]
    ended_at: Mapped[int | None] = mapped_column()
    device: Mapped[Device] = relationship()
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    parent: Mapped["Share | None"] = relationship(remote_side=[id])

    __table_args__ = (
        Index(
            "one_share_per_person_and_device",
            device_id,
            email_key,
            unique=True,
            sqlite_where=ended_at.is_(None),
            postgresql_where=ended_at.is_(None),
        ),
    )


class Key(Base):
    """The P-256 key of a phone; `thumbprint` is the 16 bytes by which a lock knows it."""

    __tablename__ = "keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    system: Mapped[int] = mapped_column(default=0)  # tedee's operatingSystem
    public: Mapped[bytes]  # x and y
    thumbprint: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[int]
    removed_at: Mapped[int | None]
    person: Mapped[Person] = relationship()


class Statement(Base):
    """What the issuer said, without the signature: that is the same whenever it is made again."""

    __tablename__ = "statements"
    __table_args__ = (UniqueConstraint("device_id", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    sequence: Mapped[int | None]  # of changes; renewals, settings and commands have none
    kind: Mapped[int]  # the typ of its COSE header
    payload: Mapped[bytes]
    share_id: Mapped[int | None] = mapped_column(ForeignKey("shares.id"), index=True)
    key_id: Mapped[int | None] = mapped_column(ForeignKey("keys.id"))
    lease: Mapped[int | None]
    issuer: Mapped[bytes]  # the kid that signs it
    issued_at: Mapped[int]


class Credential(Base):
    """What a lock, or Home Assistant for a share, shows at the broker, and a lock over HTTP."""

    __tablename__ = "credentials"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(32), index=True)  # of the user
    kept: Mapped[str] = mapped_column(String(200))  # of its password, as mosquitto has it in files
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    share_id: Mapped[int | None] = mapped_column(ForeignKey("shares.id"))  # None for the lock's
    created_at: Mapped[int]
    ended_at: Mapped[int | None]
    device: Mapped[Device] = relationship()
    share: Mapped[Share | None] = relationship()


class Operation(Base):
    """Something that a person asked a lock to do from afar."""

    __tablename__ = "operations"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    share_id: Mapped[int] = mapped_column(ForeignKey("shares.id"))
    action: Mapped[str] = mapped_column(String(20))
    asked_at: Mapped[int]
    done_at: Mapped[int | None]
    result: Mapped[int | None]  # the lock's reason, 0 for done
    device: Mapped[Device] = relationship()
    share: Mapped[Share] = relationship()


class Message(Base):
    """What a device said, or an action that somebody sent to it (ARTIK)."""

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    type: Mapped[str] = mapped_column(String(20))  # message or action
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    owner_uid: Mapped[str] = mapped_column(String(32))  # of the device, when it was sent
    sender_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # of an action
    said_ms: Mapped[int | None]  # when it was said, as the device has it
    at: Mapped[int]
    device: Mapped[Device] = relationship()


class Deed(Base):
    """What somebody did to a device and its shares, for its owner to read."""

    __tablename__ = "deeds"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(String(32), unique=True, default=new_uid)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"))  # None for the service
    share_id: Mapped[int | None] = mapped_column(ForeignKey("shares.id"))
    what: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    at: Mapped[int]


class LogEntry(Base):
    """An entry of a lock's audit log, as `store.entry` writes it, after its chain was checked.

    A log that goes back, because an old image of the flash was put back, begins another branch.
    """

    __tablename__ = "log_entries"
    __table_args__ = (UniqueConstraint("device_id", "branch", "sequence"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    device_id: Mapped[int] = mapped_column(ForeignKey("devices.id"))
    branch: Mapped[int] = mapped_column(default=0)
    sequence: Mapped[int]
    record: Mapped[bytes]
    received_at: Mapped[int]
