-- The children whom the round names. Reads current_records (features).
SELECT student_id, name, class_id, grade, homeroom_teacher
FROM current_records
WHERE student_id IN (SELECT unnest($ids))
