-- Children of the cohort without any attendance on the last 20 school days, of which at least $least
-- were handed in since they enrolled; the class, if all of a school's are in one.
-- Reads child_days, cohort (features).
WITH children AS (
    SELECT
        student_id,
        school_id,
        class_id,
        sum(bit_count(recorded & last_20)) AS recorded,
        sum(bit_count(reported_20 & ~early)) AS reported
    FROM child_days
    WHERE NOT on_leave
    GROUP BY student_id, school_id, class_id
),
sizes AS (SELECT school_id, count(*) AS children FROM cohort GROUP BY school_id)
SELECT
    c.school_id,
    CASE WHEN count(DISTINCT c.class_id) = 1 AND count(c.class_id) = count(*)
        THEN min(c.class_id) END AS class_id,
    count(*) AS children,
    s.children AS of_children,
    min(c.student_id, 5) AS examples
FROM children AS c
JOIN sizes AS s ON s.school_id = c.school_id
WHERE c.recorded = 0 AND c.reported >= $least
GROUP BY c.school_id, s.children
ORDER BY c.school_id
