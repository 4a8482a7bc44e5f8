// Loaded by Node before any other module (`--require`) in runners and readers, and in the threads and Node programs that
// they start. Only those need it, so the others load next to nothing.
import { createRequire } from 'node:module'
import { builtRoot } from '../../src/root.ts'
import { servingVariable } from './serving-variable.ts'

if (process.env[servingVariable] !== undefined) createRequire(builtRoot('modules.cjs'))('./serving.cjs')
