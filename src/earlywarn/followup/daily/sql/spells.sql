-- Runs of absence without leave, and returns from one, out of the bit masks of the last 60 school
-- days (bit 0 is the last school day).
-- Reads day_masks, school_days (features).

-- One row per recorded day of each candidate that was away without leave within its last 60 school
-- days: whether it was away without leave, whether it was there, and how often it had been by then.
CREATE OR REPLACE TEMP TABLE recorded_days AS
WITH days AS (
    SELECT
        m.student_id,
        d.date,
        (m.unexcused >> CAST(d.back AS INTEGER)) & 1 = 1 AS away,
        (m.absent >> CAST(d.back AS INTEGER)) & 1 = 0 AS there
    FROM day_masks AS m
    JOIN school_days AS d
        ON d.cal = m.cal AND d.back < 60 AND (m.recorded >> CAST(d.back AS INTEGER)) & 1 = 1
    WHERE m.unexcused <> 0
)
SELECT
    *,
    count(*) FILTER (WHERE there) OVER (PARTITION BY student_id ORDER BY date) AS times_there
FROM days;

-- The recorded days without leave in a row, counted back from the last recorded one.
CREATE OR REPLACE TEMP VIEW runs AS
WITH broken AS (
    SELECT student_id, max(date) FILTER (WHERE NOT away) AS date
    FROM recorded_days
    GROUP BY student_id
)
SELECT
    d.student_id,
    list(d.date ORDER BY d.date) FILTER (WHERE d.date > b.date OR b.date IS NULL) AS days,
    list(d.date ORDER BY d.date) FILTER (WHERE d.away) AS all_days,
    min(d.date) AS seen_from
FROM recorded_days AS d
JOIN broken AS b ON b.student_id = d.student_id
GROUP BY d.student_id
HAVING bool_or(d.date > b.date OR b.date IS NULL);

-- Days without leave that no day there parts, and the day there that ended them.
CREATE OR REPLACE TEMP VIEW returns AS
WITH spells AS (
    SELECT student_id, times_there, list(date ORDER BY date) FILTER (WHERE away) AS days
    FROM recorded_days
    GROUP BY student_id, times_there
    HAVING bool_or(away)
)
SELECT s.student_id, s.days, d.date AS back_on
FROM spells AS s
JOIN recorded_days AS d
    ON d.student_id = s.student_id AND d.there AND d.times_there = s.times_there + 1;
