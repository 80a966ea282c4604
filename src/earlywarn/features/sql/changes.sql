-- How often a child's guardian and school changed: known values that differ from the last known one
-- before. Reads cohort, registry_rows (keys.sql).

-- One row per child of the cohort. Only who ever had another than now can have any change.
CREATE OR REPLACE TEMP TABLE changes AS
WITH said AS (
    SELECT
        c.sid,
        count(r.guardian) AS guardians,
        count(*) AS schools,
        bool_or(r.guardian <> c.guardian OR r.school_id <> c.school_id) AS any_change
    FROM registry_rows AS r
    JOIN cohort AS c ON c.sid = r.sid
    WHERE r.snapshot_date <= $as_of
    GROUP BY c.sid
),
changed AS (
    SELECT r.sid, r.snapshot_date, r.guardian, r.school_id
    FROM registry_rows AS r
    JOIN said AS d ON d.sid = r.sid
    WHERE d.any_change AND r.snapshot_date <= $as_of
),
guardians AS (
    SELECT
        sid,
        snapshot_date,
        guardian,
        lag(guardian) OVER (PARTITION BY sid ORDER BY snapshot_date) AS before
    FROM changed
    WHERE guardian IS NOT NULL
),
schools AS (
    SELECT
        sid,
        snapshot_date,
        school_id,
        lag(school_id) OVER (PARTITION BY sid ORDER BY snapshot_date) AS before
    FROM changed
),
guardian_changes AS (
    SELECT sid, count(*) AS changes
    FROM guardians
    WHERE guardian <> before AND snapshot_date > $year_ago
    GROUP BY sid
),
school_moves AS (
    SELECT
        sid,
        count(*) FILTER (WHERE school_id <> before AND snapshot_date > $year_ago) AS changes,
        count(DISTINCT school_id) AS attended
    FROM schools
    GROUP BY sid
)
SELECT
    d.sid,
    CASE WHEN d.guardians >= 2 THEN coalesce(g.changes, 0) END AS guardian_changes_365d,
    CASE WHEN d.schools >= 2 THEN coalesce(m.changes, 0) END AS school_moves_365d,
    coalesce(m.attended, 1) AS schools_attended
FROM said AS d
LEFT JOIN guardian_changes AS g ON g.sid = d.sid
LEFT JOIN school_moves AS m ON m.sid = d.sid;
