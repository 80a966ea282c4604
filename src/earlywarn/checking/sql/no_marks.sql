-- Classes of at least $least children of which none has a mark in the 365 days up to the as-of date,
-- with the marked children of their grade and school, and of their grade anywhere.
-- Reads cohort (features), exams.
WITH marked AS (
    SELECT DISTINCT student_id
    FROM exams
    WHERE date > $year_ago AND date <= $as_of AND score IS NOT NULL
),
children AS (
    SELECT c.school_id, c.grade, c.class_id, m.student_id IS NOT NULL AS has_marks
    FROM cohort AS c
    LEFT JOIN marked AS m ON m.student_id = c.student_id
    WHERE NOT c.on_leave
),
classes AS (
    SELECT
        school_id,
        grade,
        class_id,
        count(*) AS children,
        count(*) FILTER (WHERE has_marks) AS marked
    FROM children
    GROUP BY school_id, grade, class_id
),
around AS (
    SELECT
        *,
        sum(marked) OVER (PARTITION BY school_id) AS marked_in_school,
        sum(marked) OVER (PARTITION BY school_id, grade) AS marked_in_school_grade,
        sum(marked) OVER (PARTITION BY grade) AS marked_in_grade
    FROM classes
)
SELECT
    school_id,
    grade,
    class_id,
    children,
    CAST(marked_in_school AS BIGINT) AS in_school,
    CAST(marked_in_school_grade AS BIGINT) AS in_school_grade,
    CAST(marked_in_grade AS BIGINT) AS in_grade,
    CAST((SELECT count(*) FROM marked) AS BIGINT) AS anywhere
FROM around
WHERE marked = 0 AND (children >= $least OR marked_in_school_grade = 0)
ORDER BY school_id, grade, class_id
