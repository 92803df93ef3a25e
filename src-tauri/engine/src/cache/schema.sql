-- Kept answers. Times are UTC milliseconds.
CREATE TABLE entry (
    id        INTEGER PRIMARY KEY,
    key       BLOB    NOT NULL UNIQUE,
    service   TEXT    NOT NULL,
    endpoint  TEXT    NOT NULL,
    account   TEXT,
    question  TEXT    NOT NULL,
    status    INTEGER NOT NULL,
    found     INTEGER NOT NULL,
    headers   TEXT    NOT NULL,
    body      BLOB    NOT NULL,  -- zstd
    bytes     INTEGER NOT NULL,  -- of body as it lies here
    raw_bytes INTEGER NOT NULL,  -- of body as the service sent it
    stored    INTEGER NOT NULL,
    expires   INTEGER,           -- NULL: not before it is forgotten
    removed   INTEGER,           -- when it is of no use even in a ban
    used      INTEGER NOT NULL,
    forgotten INTEGER            -- the act that forgot it, while that can be undone
);
CREATE INDEX entry_removed ON entry (removed) WHERE removed IS NOT NULL;
CREATE INDEX entry_used ON entry (used, id);
CREATE INDEX entry_service ON entry (service);
CREATE INDEX entry_forgotten ON entry (forgotten) WHERE forgotten IS NOT NULL;

-- What each answer is about.
CREATE TABLE tag (
    tag   INTEGER NOT NULL,
    entry INTEGER NOT NULL,
    PRIMARY KEY (tag, entry)
) WITHOUT ROWID;
CREATE INDEX tag_entry ON tag (entry);

-- Names and the services' own ids they stand for.
CREATE TABLE link (
    name INTEGER NOT NULL,
    id   INTEGER NOT NULL,
    PRIMARY KEY (name, id)
) WITHOUT ROWID;

-- Sums, kept by the triggers, so that no look at a million rows is needed.
CREATE TABLE total (
    service   TEXT    NOT NULL,
    found     INTEGER NOT NULL,
    entries   INTEGER NOT NULL,
    bytes     INTEGER NOT NULL,
    raw_bytes INTEGER NOT NULL,
    PRIMARY KEY (service, found)
) WITHOUT ROWID;

CREATE TRIGGER entry_added AFTER INSERT ON entry BEGIN
    INSERT INTO total VALUES (NEW.service, NEW.found, 1, NEW.bytes, NEW.raw_bytes)
    ON CONFLICT DO UPDATE SET entries = entries + 1, bytes = bytes + NEW.bytes, raw_bytes = raw_bytes + NEW.raw_bytes;
END;
CREATE TRIGGER entry_gone AFTER DELETE ON entry BEGIN
    UPDATE total SET entries = entries - 1, bytes = bytes - OLD.bytes, raw_bytes = raw_bytes - OLD.raw_bytes
    WHERE service = OLD.service AND found = OLD.found AND OLD.forgotten IS NULL;
    DELETE FROM tag WHERE entry = OLD.id;
END;
CREATE TRIGGER entry_forgotten AFTER UPDATE OF forgotten ON entry
WHEN OLD.forgotten IS NULL AND NEW.forgotten IS NOT NULL BEGIN
    UPDATE total SET entries = entries - 1, bytes = bytes - OLD.bytes, raw_bytes = raw_bytes - OLD.raw_bytes
    WHERE service = OLD.service AND found = OLD.found;
END;
CREATE TRIGGER entry_remembered AFTER UPDATE OF forgotten ON entry
WHEN OLD.forgotten IS NOT NULL AND NEW.forgotten IS NULL BEGIN
    UPDATE total SET entries = entries + 1, bytes = bytes + OLD.bytes, raw_bytes = raw_bytes + OLD.raw_bytes
    WHERE service = OLD.service AND found = OLD.found;
END;
