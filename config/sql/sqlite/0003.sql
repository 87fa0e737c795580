-- Version 3: what a match's rating came to.
--
-- rating_after is what the player was told at the match's end. Where another result of the player was saved first, the
-- rating is computed anew from what stood then: rating_applied is what this match made of it.
ALTER TABLE match_players ADD COLUMN rating_applied INTEGER NOT NULL DEFAULT 0;
UPDATE match_players SET rating_applied = rating_after;

PRAGMA user_version = 3;
