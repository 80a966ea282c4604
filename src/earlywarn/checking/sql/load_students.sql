-- The rows of the registry's last two loads.
CREATE OR REPLACE TEMP TABLE load_rows AS
WITH rows AS (
    SELECT TRUE AS now, * FROM read_parquet($now)
    UNION ALL BY NAME
    SELECT FALSE AS now, * FROM read_parquet($before)
)
SELECT now, school_id, '' AS unit, /*fields*/
FROM rows;
