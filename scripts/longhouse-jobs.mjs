#!/usr/bin/env node
// `longhouse-jobs`, from whichever folder it is called and on any Node from 18 on: installs and builds what is missing,
// and hands over to the program on the project's own Node.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildIfChanged } from './build.mjs'
import { endOf, node, root, setUp } from './setup.mjs'

setUp()
if (!buildIfChanged()) process.exit(1)

const program = [join(root, 'dist/longhouse-jobs.js'), ...process.argv.slice(2)]
process.exit(await endOf(spawn(node(), program, { stdio: 'inherit' })))
