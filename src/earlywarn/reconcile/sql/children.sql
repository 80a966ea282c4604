-- Every child with a current record on the as-of date: where it is, or why it is out and since when.
-- Reads known_students, cohort, event_summary, outcomes, snapshots, complete_registries, schools,
-- facts and day_masks of the features.
CREATE OR REPLACE TEMP TABLE reconciled_children AS
WITH away AS (  -- the latest of the events that lead elsewhere
    SELECT o.student_id, arg_max(o.event, o.date) AS event
    FROM outcomes AS o
    WHERE o.date <= $as_of AND o.event IN ('transferred', 'graduated', 'abroad')
    GROUP BY o.student_id
),
taken_off AS (  -- from the first registry file of the school that no longer names the child
    SELECT k.student_id, min(r.snapshot_date) AS date
    FROM known_students AS k
    JOIN complete_registries AS r
        ON r.school_id = k.school_id
        AND r.snapshot_date > k.snapshot_date
        AND r.snapshot_date <= $as_of
    GROUP BY k.student_id
),
left_school AS (
    SELECT s.student_id, s.left_on AS date
    FROM snapshots AS s
    JOIN known_students AS k USING (student_id, snapshot_date)
    WHERE s.left_on <= $as_of
),
standing AS (
    SELECT
        k.student_id,
        CASE
            WHEN k.in_cohort THEN 'enrolled'
            WHEN e.deceased_on IS NOT NULL THEN 'deceased'
            WHEN e.last_dropout > coalesce(e.last_return, DATE '0001-01-01') THEN 'dropped_out'
            WHEN e.last_away > coalesce(e.last_return, DATE '0001-01-01')
                AND e.last_away >= k.snapshot_date
                THEN CASE
                    WHEN a.event = 'graduated' AND k.grade >= $last_grade THEN 'finished'
                    ELSE a.event
                END
            WHEN l.date IS NOT NULL THEN 'left'
            WHEN t.date IS NOT NULL THEN 'taken_off'
            ELSE 'not_yet'
        END AS standing,
        CASE
            WHEN k.in_cohort THEN NULL
            WHEN e.deceased_on IS NOT NULL THEN e.deceased_on
            WHEN e.last_dropout > coalesce(e.last_return, DATE '0001-01-01') THEN e.last_dropout
            WHEN e.last_away > coalesce(e.last_return, DATE '0001-01-01')
                AND e.last_away >= k.snapshot_date THEN e.last_away
            ELSE coalesce(l.date, t.date, k.enrolled_on)
        END AS since
    FROM known_students AS k
    LEFT JOIN event_summary AS e ON e.student_id = k.student_id
    LEFT JOIN away AS a ON a.student_id = k.student_id
    LEFT JOIN left_school AS l ON l.student_id = k.student_id
    LEFT JOIN taken_off AS t ON t.student_id = k.student_id
)
SELECT
    k.student_id,
    k.name,
    k.sex,
    k.birth_date,
    k.guardian,
    k.guardian_phone,
    k.school_id,
    k.grade,
    k.class_id,
    s.county,
    s.township,
    k.in_cohort,
    s.name AS school,
    n.standing,
    n.since,
    k.poverty,
    k.receives_aid,
    CASE
        WHEN NOT k.in_cohort THEN NULL
        WHEN k.on_leave THEN 'on_leave'
        -- days_since_present counts reported days: twenty of them, or all that there are
        WHEN m.reported <> 0
            AND (f.days_since_present >= $window OR (m.recorded & ~m.absent) = 0)
            THEN CASE
                WHEN k.placement = 'home_teaching' THEN 'no_home_teaching'
                ELSE 'not_in_class'
            END
        WHEN k.placement = 'home_teaching' THEN 'home_teaching'
        WHEN m.reported = 0 THEN 'not_reported'
        ELSE 'in_class'
    END AS in_class,
    f.days_since_present,
    f.absent_run,
    f.unexcused_run
FROM known_students AS k
JOIN standing AS n ON n.student_id = k.student_id
LEFT JOIN schools AS s ON s.school_id = k.school_id
LEFT JOIN facts AS f ON f.student_id = k.student_id
LEFT JOIN day_masks AS m ON m.student_id = k.student_id;
