-- The open data set OULAD as the tables of the contract. Source: Kuzilek, Hlosta, Zdrahal,
-- Open University Learning Analytics dataset, Scientific Data 4:170171 (2017), CC BY 4.0.
-- A student is ID-MODULE-PRESENTATION, a school a module, a class a presentation. Dates are days
-- from the start of the presentation: 1 February (B) or 1 October (J) of its year.

CREATE TEMP TABLE presentations AS
SELECT
    code_module AS module,
    code_presentation AS presentation,
    make_date(
        CAST(code_presentation[1:4] AS INTEGER),
        CASE code_presentation[5:5] WHEN 'B' THEN 2 ELSE 10 END,
        1
    ) AS day_0,
    CAST(module_presentation_length AS INTEGER) AS length
FROM courses;

CREATE TEMP TABLE learners AS
SELECT
    i.id_student || '-' || i.code_module || '-' || i.code_presentation AS student_id,
    i.id_student,
    p.*,
    i.gender,
    i.disability,
    i.imd_band,
    p.day_0 + CAST(nullif(r.date_registration, '?') AS INTEGER) AS registered_on,
    p.day_0 + CAST(nullif(r.date_unregistration, '?') AS INTEGER) AS withdrawn_on
FROM student_info AS i
JOIN presentations AS p ON p.module = i.code_module AND p.presentation = i.code_presentation
LEFT JOIN student_registration AS r
    ON r.id_student = i.id_student
    AND r.code_module = i.code_module
    AND r.code_presentation = i.code_presentation;

CREATE TEMP TABLE work AS
SELECT
    id_assessment,
    code_module AS module,
    code_presentation AS presentation,
    assessment_type,
    CAST(nullif(date, '?') AS INTEGER) AS due
FROM assessments;

CREATE TEMP TABLE students AS
SELECT
    student_id,
    least(coalesce(registered_on, day_0), day_0) AS snapshot_date,
    gender AS sex,
    module AS school_id,
    13 AS grade,
    presentation AS class_id,
    registered_on AS enrolled_on,
    least(coalesce(withdrawn_on, DATE '9999-12-31'), day_0 + length + 1) AS left_on,
    CASE disability WHEN 'Y' THEN 'other' WHEN 'N' THEN 'none' END AS disability,
    CASE
        WHEN imd_band IN ('0-10%', '10-20%', '10-20') THEN 'low_income'
        WHEN nullif(imd_band, '?') IS NOT NULL THEN 'none'
    END AS poverty
FROM learners;

CREATE TEMP TABLE schools AS
SELECT DISTINCT module AS school_id, module AS name, 'Open University' AS county
FROM presentations;

-- Each assessment with a due date, exams left out, is a school day of its presentation.
CREATE TEMP TABLE calendar AS
SELECT DISTINCT
    p.day_0 + w.due AS date,
    w.module AS school_id,
    w.presentation AS class_id,
    TRUE AS is_school_day
FROM work AS w
JOIN presentations AS p ON p.module = w.module AND p.presentation = w.presentation
WHERE w.due IS NOT NULL AND w.assessment_type <> 'Exam';

-- Handed in by the due day = present, else unexcused; what comes later does not change it.
CREATE TEMP TABLE attendance AS
SELECT
    l.student_id,
    l.day_0 + w.due AS date,
    CASE WHEN CAST(nullif(s.date_submitted, '?') AS INTEGER) <= w.due
        THEN 'present' ELSE 'unexcused'
    END AS status,
    w.id_assessment AS session
FROM learners AS l
JOIN work AS w ON w.module = l.module AND w.presentation = l.presentation
LEFT JOIN student_assessment AS s
    ON s.id_assessment = w.id_assessment AND s.id_student = l.id_student
WHERE w.due IS NOT NULL
    AND w.assessment_type <> 'Exam'
    AND (l.registered_on IS NULL OR l.day_0 + w.due >= l.registered_on)
    AND (l.withdrawn_on IS NULL OR l.day_0 + w.due < l.withdrawn_on);

CREATE TEMP TABLE exams AS
SELECT
    l.student_id,
    l.day_0 + CAST(nullif(s.date_submitted, '?') AS INTEGER) AS date,
    w.id_assessment AS exam,
    w.assessment_type AS subject,
    CAST(nullif(s.score, '?') AS DECIMAL(12, 6)) AS score,
    100 AS full_mark
FROM student_assessment AS s
JOIN work AS w ON w.id_assessment = s.id_assessment
JOIN learners AS l
    ON l.id_student = s.id_student
    AND l.module = w.module
    AND l.presentation = w.presentation
WHERE s.is_banked = '0' AND nullif(s.date_submitted, '?') IS NOT NULL;

CREATE TEMP TABLE outcomes AS
SELECT student_id, withdrawn_on AS date, 'dropped_out' AS event
FROM learners
WHERE withdrawn_on IS NOT NULL;
