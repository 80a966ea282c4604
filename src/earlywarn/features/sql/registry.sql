-- The registry: what the current record says, and the monitored groups.
-- Reads cohort, changes (changes.sql), event_summary; the groups' conditions come from
-- rules/groups.yaml.

CREATE OR REPLACE TEMP TABLE registry_features AS
WITH judged AS (
    SELECT
        c.*,
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
            AS months_in_september,
        /*groups*/
    FROM cohort AS c
)
SELECT
    c.sid,
    CAST(c.grade AS BIGINT) AS grade,
    c.stage,
    c.age_years,
    CASE WHEN c.grade BETWEEN 1 AND 9
        THEN greatest(c.age_in_september - (c.grade + $age_at_grade_1 - 1), 0 * c.age_in_september)
    END AS over_age_years,
    CASE WHEN c.grade BETWEEN 1 AND 9
        THEN c.months_in_september - 12 * (c.grade + $age_at_grade_1 - 1)
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
    /*names of groups*/,
    CASE
        WHEN coalesce(migrant, left_behind, disabled, poor_family, parent_incarcerated) IS NOT NULL
            THEN CAST(coalesce(migrant, FALSE) AS BIGINT)
                + CAST(coalesce(left_behind, FALSE) AS BIGINT)
                + CAST(coalesce(disabled, FALSE) AS BIGINT)
                + CAST(coalesce(poor_family, FALSE) AS BIGINT)
                + CAST(coalesce(parent_incarcerated, FALSE) AS BIGINT)
    END AS group_count,
    c.poor_family AND NOT c.receives_aid AS aid_gap
FROM judged AS c
JOIN changes AS h ON h.sid = c.sid;

-- History: earlier dropouts and the last return.
CREATE OR REPLACE TEMP TABLE history_features AS
SELECT
    c.sid,
    coalesce(e.prior_dropouts, 0) AS prior_dropouts,
    date_diff('day', e.last_return, $as_of) AS days_since_return
FROM cohort AS c
LEFT JOIN event_summary AS e ON e.student_id = c.student_id;
