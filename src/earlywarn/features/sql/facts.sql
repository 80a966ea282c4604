-- One row per child of the cohort: all features, what conditions may name beside them, and the days
-- that the features rest on. Reads everything made before.

CREATE OR REPLACE TEMP TABLE facts AS
SELECT
    c.student_id,
    c.school_id,
    /*features*/,
    c.sex,
    c.parents_away,
    c.migrant_child,
    c.disability,
    c.poverty,
    c.receives_aid,
    c.boarding_aid,
    c.parent_in_prison,
    c.orphan_status,
    c.travel
FROM cohort AS c
JOIN attendance_features AS a ON a.sid = c.sid
LEFT JOIN totals_features AS t ON t.student_id = c.student_id
JOIN mark_features AS m ON m.sid = c.sid
JOIN registry_features AS r ON r.sid = c.sid
JOIN history_features AS h ON h.sid = c.sid
JOIN school_features AS s ON s.school_id = c.school_id;

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
    AND a.recorded <> 0
    AND d.back = bit_count((a.recorded & -a.recorded) - 1)
JOIN mark_features AS m ON m.sid = c.sid
LEFT JOIN event_summary AS e ON e.student_id = c.student_id;
