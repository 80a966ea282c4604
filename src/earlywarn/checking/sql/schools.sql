-- Every school with a name or with children in the cohort.
-- Reads cohort (features), schools.
WITH sizes AS (SELECT school_id, count(*) AS children FROM cohort GROUP BY school_id)
SELECT
    coalesce(s.school_id, n.school_id) AS school_id,
    coalesce(s.name, n.school_id) AS name,
    coalesce(s.county, '') AS county,
    coalesce(s.township, '') AS township,
    coalesce(n.children, 0) AS children
FROM schools AS s
FULL JOIN sizes AS n ON n.school_id = s.school_id
ORDER BY 1
