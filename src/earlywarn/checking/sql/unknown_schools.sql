-- Schools that a table names and the table of schools does not: of the cohort with their children, of
-- reported days and the calendar where no child's record names them either, with their rows.
-- Reads cohort, known_students (features), reported_days, calendar, schools.
WITH named AS (
    SELECT 'students' AS place, school_id, count(*) AS count, min(student_id, 5) AS examples
    FROM cohort
    GROUP BY school_id
    UNION ALL
    SELECT 'reported_days', school_id, count(*), []
    FROM reported_days
    WHERE date <= $as_of AND school_id NOT IN (SELECT school_id FROM known_students)
    GROUP BY school_id
    UNION ALL
    SELECT 'calendar', school_id, count(*), []
    FROM calendar
    WHERE school_id NOT IN (SELECT school_id FROM known_students)
    GROUP BY school_id
)
SELECT place, school_id, count, examples
FROM named
WHERE school_id NOT IN (SELECT school_id FROM schools)
ORDER BY place, school_id
