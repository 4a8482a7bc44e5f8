// `npm run bench [name …]`: builds, then runs the benchmarks, each of which prints its figures beside those of peers.
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { basename, join } from 'node:path'
import { node, onOurNode, root, setUp } from './setup.mjs'

setUp()
await onOurNode()
const run = args => spawnSync(node(), args, { cwd: root, stdio: 'inherit' }).status ?? 1
if (run([join(root, 'esbuild.config.mjs')]) !== 0) process.exit(1)

const wanted = process.argv.slice(2)
const all = fs
  .globSync('bench/*.ts', { cwd: root })
  .filter(file => !file.endsWith('.fixture.ts'))
  .sort()
const chosen = wanted.length === 0 ? all : all.filter(file => wanted.includes(basename(file, '.ts')))
if (chosen.length === 0) {
  console.error(`There is no such benchmark; there are ${all.map(file => basename(file, '.ts')).join(', ')}.`)
  process.exit(2)
}
let failed = 0
for (const file of chosen) {
  console.log(`\n== ${basename(file, '.ts')}`)
  if (run(['--import', 'tsx', file]) !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)
