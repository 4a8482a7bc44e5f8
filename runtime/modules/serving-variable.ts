/** Tells threads and programs that a job starts what to load their modules from. */
export const servingVariable = 'LONGHOUSE_CODE'
