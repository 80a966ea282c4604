-- The last 60 school days of the children in `wanted`, one row per child and day.
-- Reads roster, school_days, attendance_days, wanted.
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
LEFT JOIN attendance_days AS a ON a.sid = r.sid AND a.date = d.date
ORDER BY r.student_id, d.date
