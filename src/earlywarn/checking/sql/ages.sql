-- Children whose birth date cannot be: after the as-of date; under 3 or over 22 on it; or, on the
-- school year's first day of their record, more than one year below or five above the age at which
-- a child of their grade is expected (below grade + 4 or above grade + 10 where grade 1 is entered
-- at 6). Grades above 12 are adults' and have no age.
-- Reads cohort (features), students.
WITH ahead AS (
    SELECT c.student_id
    FROM cohort AS c
    JOIN students AS s ON s.student_id = c.student_id AND s.snapshot_date = c.snapshot_date
    WHERE s.birth_date > $as_of
),
aged AS (
    SELECT
        student_id,
        school_id,
        grade,
        date_sub('year', birth_date, $as_of) AS age,
        date_sub(
            'year',
            birth_date,
            make_date(
                year(snapshot_date) - CASE
                    WHEN month(snapshot_date) * 100 + day(snapshot_date) < $year_start_md
                        THEN 1 ELSE 0
                END,
                $year_start_md // 100,
                $year_start_md % 100
            )
        ) - (grade + $age_at_grade_1) AS above
    FROM cohort
    WHERE grade <= 12 AND birth_date IS NOT NULL
),
wrong AS (
    SELECT
        student_id,
        school_id,
        CASE WHEN age < 3 OR age > 22 THEN 'age' ELSE 'grade' END AS why
    FROM aged
    WHERE age < 3 OR age > 22 OR above < -2 OR above > 4
    UNION ALL
    SELECT student_id, school_id, 'ahead'
    FROM cohort
    WHERE student_id IN (SELECT student_id FROM ahead)
)
SELECT
    school_id,
    count(*) AS children,
    count(*) FILTER (WHERE why = 'ahead') AS ahead,
    count(*) FILTER (WHERE why = 'age') AS age,
    count(*) FILTER (WHERE why = 'grade') AS grade,
    min(student_id, 5) AS examples
FROM wrong
GROUP BY school_id
ORDER BY school_id
