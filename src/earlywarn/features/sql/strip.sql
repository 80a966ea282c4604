-- The last 60 school days of the children in `wanted`, one row per child and day.
-- Reads roster, school_days, attendance, wanted, known_students.
SELECT
    r.student_id,
    d.date,
    CASE
        WHEN a.severity IS NOT NULL THEN
            ['present', 'home_teaching', 'left_early', 'late', 'sick', 'leave', 'unexcused']
            [a.severity + 1]
        WHEN NOT d.reported THEN 'unreported'
        WHEN $exceptions THEN 'present'
        ELSE 'unrecorded'
    END AS mark
FROM roster AS r
JOIN wanted AS w ON w.student_id = r.student_id
JOIN school_days AS d ON d.cal = r.cal AND d.back < least(r.days, 60)
LEFT JOIN (
    SELECT
        t.student_id,
        t.date,
        max(CASE t.status
            WHEN 'present' THEN 0
            WHEN 'home_teaching' THEN 1
            WHEN 'left_early' THEN 2
            WHEN 'late' THEN 3
            WHEN 'sick' THEN 4
            WHEN 'leave' THEN 5
            ELSE 6
        END) AS severity
    FROM attendance AS t
    JOIN wanted AS v ON v.student_id = t.student_id
    WHERE t.date >= (SELECT min(date) FROM school_days WHERE back < 60)
    GROUP BY t.student_id, t.date
) AS a ON a.student_id = r.student_id AND a.date = d.date
ORDER BY r.student_id, d.date
