/** The environment variable with a program's restrictions; see `preload.ts`. */
export const reachVariable = 'LONGHOUSE_REACH'
