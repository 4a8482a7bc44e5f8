// Loaded by Node before any other module (`--require`) of a program that is confined from its start on. Nothing else
// may come first: a thread that was started before stays outside.
import { isMainThread } from 'node:worker_threads'
import { prepareConfinement } from './confinement.ts'
import type { Reach } from './landlock.ts'
import { reachVariable } from './reach-variable.ts'

const reach = process.env[reachVariable]
// What the program starts inherits the bounds from the system, and need not know them.
delete process.env[reachVariable]
if (reach !== undefined && isMainThread) prepareConfinement().begin(JSON.parse(reach) as Reach)
