-- Version 2: what players have done by mode and category, in the order of the boards: as in version 4 of the embedded
-- store's schema (config/sql/sqlite/0004.sql), which says what counts.

CREATE TABLE player_stats (
    player        uuid    NOT NULL REFERENCES players (player) ON DELETE CASCADE,
    mode          text    NOT NULL,
    category      text    NOT NULL COLLATE "C",  -- '': all.
    order_centi   integer NOT NULL,     -- Minus the player's rating: with the id behind it a board is in one ascending order.
    listed        integer NOT NULL CHECK (listed IN (0, 1)),  -- 1: on the board; a duel must have been rated.
    matches       bigint  NOT NULL,
    wins          bigint  NOT NULL,
    answers       bigint  NOT NULL,
    right_answers bigint  NOT NULL,
    points        bigint  NOT NULL,
    PRIMARY KEY (player, mode, category)
);

INSERT INTO player_stats
    SELECT s.player, m.mode, s.category, -p.rating_centi, max((m.rated OR m.mode <> 'duel')::integer), count(*),
           count(*) FILTER (WHERE m.winner = s.place), sum(s.answers), sum(s.right_answers), sum(s.points)
    FROM (SELECT mp.match, mp.place, mp.player, r.category, count(a.choice) AS answers,
                 count(*) FILTER (WHERE a.is_right) AS right_answers, coalesce(sum(a.points), 0) AS points
          FROM match_players mp
          JOIN rounds r ON r.match = mp.match AND r.revealed
          LEFT JOIN answers a ON a.match = r.match AND a.round = r.round AND a.place = mp.place
          WHERE mp.player IS NOT NULL AND r.category <> ''
          GROUP BY mp.match, mp.place, mp.player, r.category) s
    JOIN matches m ON m.match = s.match
    JOIN players p ON p.player = s.player
    GROUP BY s.player, m.mode, s.category, p.rating_centi;

INSERT INTO player_stats
    SELECT t.player, t.mode, '', t.order_centi, t.listed, t.matches, t.wins, coalesce(sum(s.answers), 0),
           coalesce(sum(s.right_answers), 0), coalesce(sum(s.points), 0)
    FROM (SELECT mp.player, m.mode, -p.rating_centi AS order_centi,
                 max((m.rated OR m.mode <> 'duel')::integer) AS listed, count(*) AS matches,
                 count(*) FILTER (WHERE m.winner = mp.place) AS wins
          FROM match_players mp
          JOIN matches m ON m.match = mp.match
          JOIN players p ON p.player = mp.player
          GROUP BY mp.player, m.mode, p.rating_centi) t
    LEFT JOIN player_stats s ON s.player = t.player AND s.mode = t.mode
    GROUP BY t.player, t.mode, t.order_centi, t.listed, t.matches, t.wins;

-- A board, from its first place on.
CREATE INDEX player_stats_board ON player_stats (mode, category, listed, order_centi, player);

UPDATE quizrush_schema SET version = 2;
