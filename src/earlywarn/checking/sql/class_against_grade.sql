-- Classes whose name tells another grade than their children's records.
-- Reads cohort (features), named_grades.
SELECT
    c.school_id,
    c.class_id,
    n.grade AS named,
    c.grade,
    count(*) AS children,
    min(c.student_id, 5) AS examples
FROM cohort AS c
JOIN named_grades AS n ON n.class_id = c.class_id
WHERE n.grade <> c.grade
GROUP BY c.school_id, c.class_id, n.grade, c.grade
ORDER BY c.school_id, c.class_id, c.grade
