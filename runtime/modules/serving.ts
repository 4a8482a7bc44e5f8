// The part of `preload.ts` for threads and Node programs that a job starts.
import { explainAccessDenied } from '../isolation/access-denied.ts'
import { changeOpenFiles } from '../isolation/open-files.ts'
import { answerProbes } from '../isolation/probes.ts'
import { type Serving, serveModules } from './serve.ts'
import { servingVariable } from './serving-variable.ts'

explainAccessDenied()
answerProbes()
changeOpenFiles()
serveModules(JSON.parse(process.env[servingVariable] ?? '') as Serving)
