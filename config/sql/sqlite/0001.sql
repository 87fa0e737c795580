-- The embedded store's schema, version 1. quizrushd creates it in one transaction in an empty database; what the
-- columns mean is the same for every store.
--
-- Ids are the 16 bytes of a UUID; those of players and matches begin with a time, so that new rows come last. Times
-- end in _at_ms: Unix milliseconds. Ratings are hundredths of a point. Small rows lie in their key's own tree
-- (WITHOUT ROWID); rounds, whose rows are long, do not.

CREATE TABLE players (
    player          BLOB    NOT NULL PRIMARY KEY CHECK (length(player) = 16),
    name            TEXT    NOT NULL,
    rating_centi    INTEGER NOT NULL,
    created_at_ms   INTEGER NOT NULL,  -- The beginning of the first match.
    last_seen_at_ms INTEGER NOT NULL,  -- The end of the last match; name and rating are as of then.
    matches         INTEGER NOT NULL,
    wins            INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE matches (
    match         BLOB    NOT NULL PRIMARY KEY CHECK (length(match) = 16),
    mode          TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    rated         INTEGER NOT NULL CHECK (rated IN (0, 1)),
    winner        INTEGER,             -- A place; NULL: equal scores, or nobody.
    rounds        INTEGER NOT NULL,    -- How many have begun.
    created_at_ms INTEGER NOT NULL,
    ended_at_ms   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE match_players (
    match         BLOB    NOT NULL REFERENCES matches (match) ON DELETE CASCADE,
    place         INTEGER NOT NULL,    -- The index in the match's messages.
    player        BLOB    NOT NULL REFERENCES players (player),
    name          TEXT    NOT NULL,    -- As it was shown in this match.
    rating_before INTEGER NOT NULL,
    rating_after  INTEGER NOT NULL,
    score         INTEGER NOT NULL,
    gone          INTEGER NOT NULL CHECK (gone IN (0, 1)),
    PRIMARY KEY (match, place)
) STRICT, WITHOUT ROWID;

-- A player's matches, the newest last. Also: no player twice in a match.
CREATE UNIQUE INDEX match_players_by_player ON match_players (player, match);

CREATE TABLE rounds (
    match        BLOB    NOT NULL REFERENCES matches (match) ON DELETE CASCADE,
    round        INTEGER NOT NULL,     -- From 1.
    question_id  BLOB    NOT NULL CHECK (length(question_id) = 16),
    category     TEXT    NOT NULL,
    difficulty   TEXT    NOT NULL,
    question     TEXT    NOT NULL,
    choices      TEXT    NOT NULL,     -- A JSON array, in the order in which they were shown.
    right_place  INTEGER NOT NULL,     -- An index into choices.
    weight       INTEGER NOT NULL,
    revealed     INTEGER NOT NULL CHECK (revealed IN (0, 1)),  -- 0: the match ended first.
    time_ms      INTEGER NOT NULL,
    began_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (match, round)
) STRICT;

CREATE TABLE answers (
    match          BLOB    NOT NULL,
    round          INTEGER NOT NULL,
    place          INTEGER NOT NULL,   -- Whose.
    choice         INTEGER NOT NULL,   -- An index into the round's choices.
    is_right       INTEGER NOT NULL CHECK (is_right IN (0, 1)),
    at_ms          INTEGER NOT NULL,   -- From the round's start, the credit taken off: the time that counts.
    credit_ms      INTEGER NOT NULL,
    points         INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    PRIMARY KEY (match, round, place),
    FOREIGN KEY (match, round) REFERENCES rounds (match, round) ON DELETE CASCADE,
    FOREIGN KEY (match, place) REFERENCES match_players (match, place) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- "QRSH": whose file this is. The second number is the schema's version.
PRAGMA application_id = 0x51525348;
PRAGMA user_version = 1;
