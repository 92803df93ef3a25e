-- What the other machines on the shared server have not been told yet.
CREATE TABLE owed (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    what TEXT    NOT NULL   -- JSON of an act of forgetting
);

-- How far the acts of the others were read.
CREATE TABLE heard (
    server TEXT    NOT NULL PRIMARY KEY,
    act    INTEGER NOT NULL
);
