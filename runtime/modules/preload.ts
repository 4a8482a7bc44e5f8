// Loaded by Node before any other module (`--require`) in the threads and Node programs that a job starts.
import { type Serving, serveModules, servingVariable } from './serve.ts'

const serving = process.env[servingVariable]
if (serving !== undefined) {
  serveModules(JSON.parse(serving) as Serving)
}
