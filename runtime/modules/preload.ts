// Loaded by Node before any other module (`--require`) in the threads and Node programs that a job starts.
import { explainAccessDenied } from '../isolation/access-denied.ts'
import { answerProbes } from '../isolation/probes.ts'
import { type Serving, serveModules, servingVariable } from './serve.ts'

const serving = process.env[servingVariable]
if (serving !== undefined) {
  explainAccessDenied()
  answerProbes()
  serveModules(JSON.parse(serving) as Serving)
}
