-- Schools with children whose newest record is older than the school year.
-- Reads cohort (features).
WITH counted AS (
    SELECT
        school_id,
        count(*) AS of_children,
        count(*) FILTER (WHERE snapshot_date < $year_start) AS children,
        max(snapshot_date) FILTER (WHERE snapshot_date < $year_start) AS newest,
        min(student_id, 5) FILTER (WHERE snapshot_date < $year_start) AS examples
    FROM cohort
    GROUP BY school_id
)
SELECT school_id, children, of_children, newest, examples
FROM counted
WHERE children > 0
ORDER BY school_id
