-- The registry: what the current record and its changes say, and the monitored groups.
-- Reads cohort, snapshots, event_summary; the groups' conditions come from rules/groups.yaml.

-- Changes of guardian and school: known values that differ from the last known one before.
CREATE OR REPLACE TEMP TABLE changes AS
WITH guardians AS (
    SELECT
        student_id,
        snapshot_date,
        guardian,
        lag(guardian) OVER (PARTITION BY student_id ORDER BY snapshot_date) AS before
    FROM snapshots
    WHERE guardian IS NOT NULL
),
schools AS (
    SELECT
        student_id,
        snapshot_date,
        school_id,
        lag(school_id) OVER (PARTITION BY student_id ORDER BY snapshot_date) AS before
    FROM snapshots
),
guardian_changes AS (
    SELECT
        student_id,
        count(*) FILTER (WHERE guardian <> before AND snapshot_date > $year_ago) AS changes
    FROM guardians
    GROUP BY student_id
    HAVING count(*) >= 2
),
school_moves AS (
    SELECT
        student_id,
        count(*) FILTER (WHERE school_id <> before AND snapshot_date > $year_ago) AS changes
    FROM schools
    GROUP BY student_id
    HAVING count(*) >= 2
)
SELECT
    coalesce(g.student_id, s.student_id) AS student_id,
    g.changes AS guardian_changes_365d,
    s.changes AS school_moves_365d
FROM guardian_changes AS g
FULL JOIN school_moves AS s ON s.student_id = g.student_id;

CREATE OR REPLACE TEMP TABLE registry_features AS
WITH grouped AS (
    SELECT
        student_id,
        receives_aid,
        /*groups*/
    FROM cohort
),
aged AS (
    SELECT
        student_id,
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
),
attended AS (
    SELECT student_id, count(DISTINCT school_id) AS schools
    FROM snapshots
    GROUP BY student_id
)
SELECT
    c.student_id,
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
    t.schools AS schools_attended,
    g.* EXCLUDE (student_id, receives_aid),
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
JOIN aged AS a ON a.student_id = c.student_id
JOIN grouped AS g ON g.student_id = c.student_id
JOIN attended AS t ON t.student_id = c.student_id
LEFT JOIN changes AS h ON h.student_id = c.student_id;

-- History: earlier dropouts and the last return.
CREATE OR REPLACE TEMP TABLE history_features AS
SELECT
    c.student_id,
    coalesce(e.prior_dropouts, 0) AS prior_dropouts,
    date_diff('day', e.last_return, $as_of) AS days_since_return
FROM cohort AS c
LEFT JOIN event_summary AS e ON e.student_id = c.student_id;
