-- The days that a child's features rest on, one row per child of the cohort.
-- Reads cohort, day_masks, school_days, mark_features, event_summary.

CREATE OR REPLACE TEMP TABLE basis AS
SELECT
    c.student_id,
    CASE WHEN NOT c.on_leave THEN d.date END AS attendance_date,
    m.exam_date,
    c.snapshot_date,
    e.last_event AS event_date
FROM cohort AS c
JOIN day_masks AS a ON a.sid = c.sid
LEFT JOIN school_days AS d
    ON d.cal = a.cal
    AND d.back < 60
    AND d.back = CASE
        WHEN a.recorded <> 0 THEN bit_count((a.recorded & -a.recorded) - 1)
    END
JOIN mark_features AS m ON m.sid = c.sid
LEFT JOIN event_summary AS e ON e.student_id = c.student_id;
