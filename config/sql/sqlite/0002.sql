-- Version 2: what travels with a player to a match, and bots.
--
-- Volatility is in millionths, deviation in hundredths like the rating. Both lists are bytes, little-endian, the oldest
-- entry first.

ALTER TABLE players ADD COLUMN deviation_centi INTEGER NOT NULL DEFAULT 35000;
ALTER TABLE players ADD COLUMN volatility_micro INTEGER NOT NULL DEFAULT 60000;
-- The end of the last rated match, which rating, deviation and volatility are as of; 0: none.
ALTER TABLE players ADD COLUMN rated_at_ms INTEGER NOT NULL DEFAULT 0;
-- The last questions that were asked: up to 32 fingerprints of two bytes.
ALTER TABLE players ADD COLUMN recent BLOB NOT NULL DEFAULT x''
    CHECK (length(recent) <= 64 AND length(recent) % 2 = 0);
-- The last rated matches: up to 8 of the other player's fingerprint and the end, in Unix milliseconds, eight bytes each.
ALTER TABLE players ADD COLUMN opponents BLOB NOT NULL DEFAULT x''
    CHECK (length(opponents) <= 128 AND length(opponents) % 16 = 0);

-- A bot is in a match without being a player: its row has no id.
CREATE TABLE match_players_2 (
    match         BLOB    NOT NULL REFERENCES matches (match) ON DELETE CASCADE,
    place         INTEGER NOT NULL,    -- The index in the match's messages.
    player        BLOB    REFERENCES players (player),  -- NULL: a bot.
    name          TEXT    NOT NULL,    -- As it was shown in this match.
    rating_before INTEGER NOT NULL,
    rating_after  INTEGER NOT NULL,
    score         INTEGER NOT NULL,
    gone          INTEGER NOT NULL CHECK (gone IN (0, 1)),
    PRIMARY KEY (match, place)
) STRICT, WITHOUT ROWID;
INSERT INTO match_players_2 SELECT match, place, player, name, rating_before, rating_after, score, gone
    FROM match_players;
DROP TABLE match_players;
ALTER TABLE match_players_2 RENAME TO match_players;
CREATE UNIQUE INDEX match_players_by_player ON match_players (player, match);

PRAGMA user_version = 2;
