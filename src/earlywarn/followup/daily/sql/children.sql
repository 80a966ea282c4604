-- The children whom the round names: each field as last known, as in current records (features).
-- Reads snapshots (features).
SELECT
    student_id,
    arg_max(name, snapshot_date) AS name,
    arg_max(class_id, snapshot_date) AS class_id,
    arg_max(grade, snapshot_date) AS grade,
    arg_max(homeroom_teacher, snapshot_date) AS homeroom_teacher
FROM snapshots
WHERE student_id IN (SELECT unnest($ids))
GROUP BY student_id
