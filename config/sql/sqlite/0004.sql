-- Version 4: what players have done by mode and category, in the order of the boards.
--
-- A match counts in the categories of its revealed rounds, and once under '', which is all of them. Answers and points
-- are those of revealed rounds. Rows stay when old matches and answers are deleted.
CREATE TABLE player_stats (
    player        BLOB    NOT NULL REFERENCES players (player) ON DELETE CASCADE,
    mode          TEXT    NOT NULL,
    category      TEXT    NOT NULL,    -- '': all.
    order_centi   INTEGER NOT NULL,    -- Minus the player's rating: with the id behind it a board is in one ascending order.
    listed        INTEGER NOT NULL CHECK (listed IN (0, 1)),  -- 1: on the board; a duel must have been rated.
    matches       INTEGER NOT NULL,
    wins          INTEGER NOT NULL,
    answers       INTEGER NOT NULL,
    right_answers INTEGER NOT NULL,
    points        INTEGER NOT NULL,
    PRIMARY KEY (player, mode, category)
) STRICT, WITHOUT ROWID;

INSERT INTO player_stats
    SELECT s.player, m.mode, s.category, -p.rating_centi, max(m.rated OR m.mode <> 'duel'), count(*),
           sum(m.winner IS s.place), sum(s.answers), sum(s.right_answers), sum(s.points)
    FROM (SELECT mp.match, mp.place, mp.player, r.category, count(a.choice) AS answers,
                 coalesce(sum(a.is_right), 0) AS right_answers, coalesce(sum(a.points), 0) AS points
          FROM match_players mp
          JOIN rounds r ON r.match = mp.match AND r.revealed
          LEFT JOIN answers a ON a.match = r.match AND a.round = r.round AND a.place = mp.place
          WHERE mp.player IS NOT NULL AND r.category <> ''
          GROUP BY mp.match, mp.place, r.category) s
    JOIN matches m ON m.match = s.match
    JOIN players p ON p.player = s.player
    GROUP BY s.player, m.mode, s.category;

INSERT INTO player_stats
    SELECT mp.player, m.mode, '', -p.rating_centi, max(m.rated OR m.mode <> 'duel'), count(*),
           sum(m.winner IS mp.place),
           (SELECT coalesce(sum(s.answers), 0) FROM player_stats s WHERE s.player = mp.player AND s.mode = m.mode),
           (SELECT coalesce(sum(s.right_answers), 0) FROM player_stats s
            WHERE s.player = mp.player AND s.mode = m.mode),
           (SELECT coalesce(sum(s.points), 0) FROM player_stats s WHERE s.player = mp.player AND s.mode = m.mode)
    FROM match_players mp
    JOIN matches m ON m.match = mp.match
    JOIN players p ON p.player = mp.player
    GROUP BY mp.player, m.mode;

-- A board, from its first place on.
CREATE INDEX player_stats_board ON player_stats (mode, category, listed, order_centi, player);

PRAGMA user_version = 4;
