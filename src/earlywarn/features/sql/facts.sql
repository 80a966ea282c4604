-- One row per child of the cohort: all features and what conditions may name beside them. For Spark;
-- facts.py puts the same families side by side in Arrow.

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
