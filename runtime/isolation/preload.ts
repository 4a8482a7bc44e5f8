// Loaded by Node before any other module (`--require`) of a program that is restricted from its start. Nothing may
// run earlier: a thread started before stays unrestricted.
import { isMainThread } from 'node:worker_threads'
import { prepareConfinement } from './confinement.ts'
import type { Reach } from './reach.ts'
import { reachVariable } from './reach-variable.ts'

const reach = process.env[reachVariable]
// Child processes inherit the restriction from the system, and need no variable.
delete process.env[reachVariable]
if (reach !== undefined && isMainThread) prepareConfinement(JSON.parse(reach) as Reach).begin()
