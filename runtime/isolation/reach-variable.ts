/** The environment variable that tells a program its reach; see `preload.ts`. */
export const reachVariable = 'LONGHOUSE_REACH'
