-- For each student of the cohort as of a date: the label, and whether it was lost from sight.
-- The window is after $as_of, up to and including $window_end; nothing dated after $until is read.
WITH seen AS (
    SELECT
        student_id,
        -- one of the events that are to be foreseen happened
        bool_or(list_contains($label_events, event)) AS label,
        -- school was completed: known not to have dropped out
        bool_or(event = 'graduated') AS graduated,
        -- went where nobody here sees what happens
        bool_or(event IN ('transferred', 'abroad', 'deceased')) AS gone
    FROM outcomes
    WHERE date > $as_of AND date <= $window_end AND date <= $until
    GROUP BY student_id
),
-- taken off the registry within the window, by any snapshot known
gone_from_registry AS (
    SELECT DISTINCT student_id
    FROM students
    WHERE left_on > $as_of AND left_on <= least($window_end, $until) AND snapshot_date <= $until
)
SELECT
    c.student_id,
    coalesce(s.label, FALSE) AS label,
    -- without a label event and out of sight: no negative, so no row
    NOT coalesce(s.label, FALSE)
        AND NOT coalesce(s.graduated, FALSE)
        AND (coalesce(s.gone, FALSE) OR r.student_id IS NOT NULL) AS lost
FROM cohort AS c
LEFT JOIN seen AS s ON s.student_id = c.student_id
LEFT JOIN gone_from_registry AS r ON r.student_id = c.student_id
