-- The registry: what the current record and its changes say, and the monitored groups.
-- Reads cohort, snapshots, event_summary; the groups' conditions come from rules/groups.yaml.

-- Changes of guardian and school: known values that differ from the last known one before. Only who
-- ever had another than now can have any.
CREATE OR REPLACE TEMP TABLE changes AS
WITH said AS (
    SELECT
        c.sid,
        count(s.guardian) AS guardians,
        count(*) AS schools,
        bool_or(s.guardian <> c.guardian OR s.school_id <> c.school_id) AS any_change
    FROM snapshots AS s
    JOIN cohort AS c ON c.student_id = s.student_id
    GROUP BY c.sid
),
changed AS (
    SELECT c.sid, s.snapshot_date, s.guardian, s.school_id
    FROM snapshots AS s
    JOIN cohort AS c ON c.student_id = s.student_id
    JOIN said AS d ON d.sid = c.sid
    WHERE d.any_change
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

CREATE OR REPLACE TEMP TABLE registry_features AS
WITH grouped AS (
    SELECT
        sid,
        receives_aid,
        /*groups*/
    FROM cohort
),
aged AS (
    SELECT
        sid,
        -- full years: the birthday of this year counts when its month and day have come
        year($as_of) - year(birth_date) - CASE
            WHEN month($as_of) * 100 + day($as_of) < month(birth_date) * 100 + day(birth_date)
                THEN 1 ELSE 0
        END AS age_years,
        -- full years on the last 1 September not after the snapshot
        year(snapshot_date) - CASE WHEN month(snapshot_date) < 9 THEN 1 ELSE 0 END
        - year(birth_date) - CASE
            WHEN 901 < month(birth_date) * 100 + day(birth_date) THEN 1 ELSE 0
        END AS age_in_september,
        -- full months on that day, the first of its month
        12 * (year(snapshot_date) - CASE WHEN month(snapshot_date) < 9 THEN 1 ELSE 0 END
            - year(birth_date))
        + 9 - month(birth_date) - CASE WHEN day(birth_date) > 1 THEN 1 ELSE 0 END
            AS months_in_september
    FROM cohort
)
SELECT
    c.sid,
    CAST(c.grade AS BIGINT) AS grade,
    c.stage,
    a.age_years,
    CASE WHEN c.grade BETWEEN 1 AND 9
        THEN greatest(a.age_in_september - (c.grade + $age_at_grade_1 - 1), 0 * a.age_in_september)
    END AS over_age_years,
    CASE WHEN c.grade BETWEEN 1 AND 9
        THEN a.months_in_september - 12 * (c.grade + $age_at_grade_1 - 1)
    END AS months_over_age,
    date_diff('day', c.enrolled_on, $as_of) AS days_enrolled,
    c.boarding,
    CAST(c.distance_km AS DOUBLE) AS distance_km,
    c.needs_bus,
    c.placement,
    date_diff('day', c.snapshot_date, $as_of) AS days_since_snapshot,
    h.guardian_changes_365d,
    h.school_moves_365d,
    h.schools_attended,
    g.* EXCLUDE (sid, receives_aid),
    CASE
        WHEN coalesce(migrant, left_behind, disabled, poor_family, parent_incarcerated) IS NOT NULL
            THEN CAST(coalesce(migrant, FALSE) AS BIGINT)
                + CAST(coalesce(left_behind, FALSE) AS BIGINT)
                + CAST(coalesce(disabled, FALSE) AS BIGINT)
                + CAST(coalesce(poor_family, FALSE) AS BIGINT)
                + CAST(coalesce(parent_incarcerated, FALSE) AS BIGINT)
    END AS group_count,
    g.poor_family AND NOT g.receives_aid AS aid_gap
FROM cohort AS c
JOIN aged AS a ON a.sid = c.sid
JOIN grouped AS g ON g.sid = c.sid
JOIN changes AS h ON h.sid = c.sid;

-- History: earlier dropouts and the last return.
CREATE OR REPLACE TEMP TABLE history_features AS
SELECT
    c.sid,
    coalesce(e.prior_dropouts, 0) AS prior_dropouts,
    date_diff('day', e.last_return, $as_of) AS days_since_return
FROM cohort AS c
LEFT JOIN event_summary AS e ON e.student_id = c.student_id;
