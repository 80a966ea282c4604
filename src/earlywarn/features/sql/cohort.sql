-- Who there is on the as-of date: current records, events, cohort, leaves.
-- Reads students, outcomes, complete_registries, stage_grades, student_keys and registry_rows
-- (keys.sql).

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

-- One row per student with a snapshot: when the newest one is of, whether it leaves open what an
-- earlier one says, and how the child stands by its events (of one day: returned last) and by the
-- registries that are complete.
CREATE OR REPLACE TEMP TABLE newest_snapshots AS
WITH said AS (
    SELECT
        sid,
        snapshot_date,
        school_id,
        said | CASE WHEN birth_date <= $as_of THEN /*the bit of birth_date*/ ELSE 0 END AS said
    FROM registry_rows
    WHERE snapshot_date <= $as_of
),
newest AS (
    SELECT
        sid,
        max(snapshot_date) AS snapshot_date,
        arg_max(school_id, snapshot_date) AS school_id,
        bit_or(said) <> arg_max(said, snapshot_date) AS has_gaps
    FROM said
    GROUP BY sid
),
taken_off AS (  -- not in a registry file that names all of its school's students
    SELECT DISTINCT n.sid
    FROM newest AS n
    JOIN complete_registries AS r
        ON r.school_id = n.school_id
        AND r.snapshot_date > n.snapshot_date
        AND r.snapshot_date <= $as_of
)
SELECT
    n.sid,
    k.student_id,
    n.snapshot_date,
    n.has_gaps,
    -- on leave from the first long leave until the return, and nothing else ends it
    coalesce(e.last_long_leave > coalesce(e.last_return, DATE '0001-01-01'), FALSE) AS on_leave,
    t.sid IS NOT NULL
    OR e.deceased_on IS NOT NULL
    OR coalesce(e.last_dropout > coalesce(e.last_return, DATE '0001-01-01'), FALSE)
    OR coalesce(
        e.last_away > coalesce(e.last_return, DATE '0001-01-01')
        AND e.last_away >= n.snapshot_date,
        FALSE
    ) AS is_gone
FROM newest AS n
JOIN student_keys AS k ON k.sid = n.sid
LEFT JOIN taken_off AS t ON t.sid = n.sid
LEFT JOIN event_summary AS e ON e.student_id = k.student_id;

-- One row per student with a current record, in the cohort or not: the newest snapshot, and where it
-- is empty the last known value before it. Most snapshots leave nothing open that an earlier one
-- says; only the others are put together field by field (arg_max passes over rows in which the value
-- is NULL).
CREATE OR REPLACE TEMP TABLE known_students AS
WITH needed AS MATERIALIZED (
    SELECT s.*, n.sid, n.snapshot_date AS newest_date, n.has_gaps, n.on_leave, n.is_gone
    FROM snapshots AS s
    JOIN newest_snapshots AS n ON n.student_id = s.student_id
    WHERE s.snapshot_date = n.snapshot_date OR n.has_gaps
),
records AS (
    SELECT student_id, sid, snapshot_date, /*fields*/, left_on, on_leave, is_gone
    FROM needed
    WHERE NOT has_gaps
    UNION ALL
    SELECT
        student_id,
        sid,
        newest_date AS snapshot_date,
        /*last known fields*/,
        max(left_on) FILTER (WHERE snapshot_date = newest_date) AS left_on,
        on_leave,
        is_gone
    FROM needed
    WHERE has_gaps
    GROUP BY student_id, sid, newest_date, on_leave, is_gone
)
SELECT
    c.* EXCLUDE (left_on, is_gone),
    g.stage,
    coalesce(c.enrolled_on <= $as_of, TRUE)
    AND NOT coalesce(c.left_on <= $as_of, FALSE)
    AND NOT c.is_gone AS in_cohort
FROM records AS c
LEFT JOIN stage_grades AS g ON g.grade = c.grade;

CREATE OR REPLACE TEMP VIEW current_records AS
SELECT * EXCLUDE (sid, stage, on_leave, in_cohort) FROM known_students;

CREATE OR REPLACE TEMP VIEW cohort AS
SELECT * EXCLUDE (in_cohort)
FROM known_students
WHERE in_cohort;
