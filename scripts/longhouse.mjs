#!/usr/bin/env node
// `longhouse`, from whichever folder it is called and on any Node from 18 on: installs what is missing, and hands
// over to the program on the project's own Node.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { isBuilt } from './build.mjs'
import { endOf, node, root, setUp } from './setup.mjs'

setUp()
// Where the build is another one, from the sources: a build would change the programs of a control plane that runs here.
const program = join(root, isBuilt() ? 'dist/longhouse.js' : 'cli/main.ts')
process.exit(await endOf(spawn(node(), [program, ...process.argv.slice(2)], { stdio: 'inherit' })))
