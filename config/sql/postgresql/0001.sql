-- The PostgreSQL store's schema, version 1; `quizrushd --migrate` makes it in one transaction. Tables and columns are
-- those of the embedded store (config/sql/sqlite), with PostgreSQL's types.
--
-- Ids are UUIDs; those of players and matches begin with a time, so that new rows come last. Times end in _at_ms: Unix
-- milliseconds. Ratings and deviations are hundredths of a point, volatility is in millionths.

CREATE TABLE quizrush_schema (
    version integer NOT NULL
);

CREATE TABLE players (
    player           uuid    NOT NULL PRIMARY KEY,
    version          bigint  NOT NULL,  -- One more with each result: what a result was computed from is told by it.
    name             text    NOT NULL,
    rating_centi     integer NOT NULL,
    deviation_centi  integer NOT NULL,
    volatility_micro integer NOT NULL,
    rated_at_ms      bigint  NOT NULL,  -- The end of the last rated match, which the three are as of; 0: none.
    -- Bytes, little-endian, the oldest entry first: up to 32 fingerprints of questions, two bytes each; and of the last
    -- 8 rated matches the other player's fingerprint and the end, eight bytes each.
    recent           bytea   NOT NULL CHECK (length(recent) <= 64 AND length(recent) % 2 = 0),
    opponents        bytea   NOT NULL CHECK (length(opponents) <= 128 AND length(opponents) % 16 = 0),
    created_at_ms    bigint  NOT NULL,  -- The beginning of the first match.
    last_seen_at_ms  bigint  NOT NULL,  -- The end of the last match; the name is as of then.
    matches          bigint  NOT NULL,
    wins             bigint  NOT NULL
);

CREATE TABLE matches (
    match         uuid    NOT NULL PRIMARY KEY,
    mode          text    NOT NULL,
    reason        text    NOT NULL,
    rated         boolean NOT NULL,
    winner        integer,              -- A place; NULL: equal scores, or nobody.
    rounds        integer NOT NULL,     -- How many have begun.
    created_at_ms bigint  NOT NULL,
    ended_at_ms   bigint  NOT NULL
);

CREATE TABLE match_players (
    match          uuid    NOT NULL REFERENCES matches (match) ON DELETE CASCADE,
    place          integer NOT NULL,    -- The index in the match's messages.
    player         uuid    REFERENCES players (player),  -- NULL: a bot.
    name           text    NOT NULL,    -- As it was shown in this match.
    rating_before  integer NOT NULL,
    rating_after   integer NOT NULL,    -- As it was told.
    rating_applied integer NOT NULL,    -- What the match made of it: another one where the rating had changed meanwhile.
    score          integer NOT NULL,
    gone           boolean NOT NULL,
    PRIMARY KEY (match, place)
);

-- A player's matches, the newest last. Also: no player twice in a match.
CREATE UNIQUE INDEX match_players_by_player ON match_players (player, match);

CREATE TABLE rounds (
    match       uuid    NOT NULL REFERENCES matches (match) ON DELETE CASCADE,
    round       integer NOT NULL,       -- From 1.
    question_id uuid    NOT NULL,
    category    text    NOT NULL,
    difficulty  text    NOT NULL,
    question    text    NOT NULL,
    choices     json    NOT NULL,       -- An array, in the order in which they were shown.
    right_place integer NOT NULL,       -- An index into choices.
    weight      integer NOT NULL,
    revealed    boolean NOT NULL,       -- False: the match ended first.
    time_ms     integer NOT NULL,
    began_at_ms bigint  NOT NULL,
    PRIMARY KEY (match, round)
);

CREATE TABLE answers (
    match          uuid    NOT NULL,
    round          integer NOT NULL,
    place          integer NOT NULL,    -- Whose.
    choice         integer NOT NULL,    -- An index into the round's choices.
    is_right       boolean NOT NULL,
    at_ms          integer NOT NULL,    -- From the round's start, the credit taken off: the time that counts.
    credit_ms      integer NOT NULL,
    points         integer NOT NULL,
    received_at_ms bigint  NOT NULL,
    PRIMARY KEY (match, round, place),
    FOREIGN KEY (match, round) REFERENCES rounds (match, round) ON DELETE CASCADE,
    FOREIGN KEY (match, place) REFERENCES match_players (match, place) ON DELETE CASCADE
);

-- A player's row changes by one version at a time: a result that was computed from another one is refused, as what
-- serializable transactions call a conflict, and is computed anew.
CREATE FUNCTION quizrush_next_version(current bigint, expected bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF current <> expected THEN
        RAISE EXCEPTION 'the row has version %, not %', current, expected USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN current + 1;
END
$$;

INSERT INTO quizrush_schema (version) VALUES (1);
