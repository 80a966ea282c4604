-- Who there is on the as-of date: current records, events, cohort, leaves.
-- Reads students, outcomes, complete_registries, stage_grades, student_keys (keys.sql).

-- One row per student and snapshot that exists on the as-of date. A date inside the row that lies
-- ahead reads as empty; left_on and enrolled_on are judged below.
CREATE OR REPLACE TEMP VIEW snapshots AS
SELECT * REPLACE (CASE WHEN birth_date <= $as_of THEN birth_date END AS birth_date)
FROM students
WHERE snapshot_date <= $as_of;

-- One row per student with an event up to the as-of date.
CREATE OR REPLACE TEMP TABLE event_summary AS
SELECT
    student_id,
    max(date) FILTER (WHERE event = 'dropped_out') AS last_dropout,
    max(date) FILTER (WHERE event = 'returned') AS last_return,
    max(date) FILTER (WHERE event IN ('transferred', 'graduated', 'abroad')) AS last_away,
    max(date) FILTER (WHERE event = 'deceased') AS deceased_on,
    max(date) FILTER (WHERE event = 'long_leave') AS last_long_leave,
    count(*) FILTER (WHERE event = 'dropped_out') AS prior_dropouts,
    max(date) AS last_event
FROM outcomes
WHERE date <= $as_of
GROUP BY student_id;

-- Days of past long leaves, from the leave until the day before the return (both included).
CREATE OR REPLACE TEMP TABLE past_leaves AS
SELECT l.student_id, l.date AS first_day, CAST(min(r.date) - INTERVAL 1 DAY AS DATE) AS last_day
FROM outcomes AS l
JOIN outcomes AS r
    ON r.student_id = l.student_id AND r.event = 'returned' AND r.date >= l.date
WHERE l.event = 'long_leave' AND l.date <= $as_of AND r.date <= $as_of
GROUP BY l.student_id, l.date
HAVING min(r.date) > l.date;

-- One row per student with a current record, in the cohort or not: the newest snapshot, where it is
-- empty the last known value before it, and how the child stands. Most snapshots leave nothing open
-- that an earlier one says; only the others are put together field by field (arg_max passes over rows
-- in which the value is NULL). Events of one day: returned last.
CREATE OR REPLACE TEMP TABLE known_students AS
WITH newest_snapshots AS (
    SELECT
        student_id,
        max(snapshot_date) AS snapshot_date,
        bit_or(said) <> arg_max(said, snapshot_date) AS has_gaps
    FROM (
        SELECT student_id, snapshot_date, /*a bit for each field that is filled in*/ AS said
        FROM snapshots
    ) AS s
    GROUP BY student_id
),
needed AS MATERIALIZED (
    SELECT s.*, n.has_gaps
    FROM snapshots AS s
    JOIN newest_snapshots AS n ON n.student_id = s.student_id
    WHERE s.snapshot_date = n.snapshot_date OR n.has_gaps
),
records AS MATERIALIZED (
    SELECT student_id, snapshot_date, /*fields*/
    FROM needed
    WHERE NOT has_gaps
    UNION ALL
    SELECT student_id, max(snapshot_date) AS snapshot_date, /*last known fields*/
    FROM needed
    WHERE has_gaps
    GROUP BY student_id
),
gone AS (
    SELECT s.student_id, s.left_on
    FROM snapshots AS s
    JOIN records AS c USING (student_id, snapshot_date)
    WHERE s.left_on <= $as_of
),
taken_off AS (  -- not in a registry file that names all of its school's students
    SELECT DISTINCT c.student_id
    FROM records AS c
    JOIN complete_registries AS r
        ON r.school_id = c.school_id
        AND r.snapshot_date > c.snapshot_date
        AND r.snapshot_date <= $as_of
)
SELECT
    c.*,
    k.sid,
    g.stage,
    -- on leave from the first long leave until the return, and nothing else ends it
    coalesce(e.last_long_leave > coalesce(e.last_return, DATE '0001-01-01'), FALSE) AS on_leave,
    coalesce(c.enrolled_on <= $as_of, TRUE)
    AND n.student_id IS NULL
    AND t.student_id IS NULL
    AND e.deceased_on IS NULL
    AND NOT coalesce(e.last_dropout > coalesce(e.last_return, DATE '0001-01-01'), FALSE)
    AND NOT coalesce(
        e.last_away > coalesce(e.last_return, DATE '0001-01-01')
        AND e.last_away >= c.snapshot_date,
        FALSE
    ) AS in_cohort
FROM records AS c
JOIN student_keys AS k ON k.student_id = c.student_id
LEFT JOIN stage_grades AS g ON g.grade = c.grade
LEFT JOIN gone AS n ON n.student_id = c.student_id
LEFT JOIN taken_off AS t ON t.student_id = c.student_id
LEFT JOIN event_summary AS e ON e.student_id = c.student_id;

CREATE OR REPLACE TEMP VIEW current_records AS
SELECT * EXCLUDE (sid, stage, on_leave, in_cohort) FROM known_students;

CREATE OR REPLACE TEMP VIEW cohort AS
SELECT * EXCLUDE (in_cohort)
FROM known_students
WHERE in_cohort;
