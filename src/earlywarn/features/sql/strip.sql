-- The last 60 school days of the children in `wanted`, one row per child and day.
-- Reads day_masks, school_days, wanted.
WITH bits AS (
    SELECT
        m.student_id,
        d.date,
        d.reported,
        (m.recorded >> CAST(d.back AS INTEGER)) & 1 AS recorded,
        (m.absent >> CAST(d.back AS INTEGER)) & 1 AS absent,
        (m.unexcused >> CAST(d.back AS INTEGER)) & 1 AS unexcused,
        (m.leave >> CAST(d.back AS INTEGER)) & 1 AS leave,
        (m.late >> CAST(d.back AS INTEGER)) & 1 AS late,
        (m.left_early >> CAST(d.back AS INTEGER)) & 1 AS left_early,
        (m.home >> CAST(d.back AS INTEGER)) & 1 AS home
    FROM day_masks AS m
    JOIN wanted AS w ON w.student_id = m.student_id
    JOIN school_days AS d ON d.cal = m.cal AND d.back < least(m.days, 60)
)
SELECT
    student_id,
    date,
    CASE
        WHEN recorded = 0 AND reported THEN 'unrecorded'
        WHEN recorded = 0 THEN 'unreported'
        WHEN unexcused = 1 THEN 'unexcused'
        WHEN leave = 1 THEN 'leave'
        WHEN absent = 1 THEN 'sick'
        WHEN left_early = 1 THEN 'left_early'
        WHEN late = 1 THEN 'late'
        WHEN home = 1 THEN 'home_teaching'
        ELSE 'present'
    END AS mark
FROM bits
ORDER BY student_id, date
