-- By school: children of the cohort, and for how many each field is empty.
-- Reads cohort (features).
SELECT
    school_id,
    count(*) AS children,
    /*columns*/
FROM cohort
GROUP BY school_id
ORDER BY school_id
