export { buildIndex as buildEntry } from '../modules/build.ts'
