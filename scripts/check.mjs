// `npm run check`: types, lint, format and the direction of imports; each says its own words, all of them run.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { node, root, setUp } from './setup.mjs'

setUp()
const bin = name => join(root, 'node_modules/.bin', name)
const checks = [
  ['types', bin('tsc'), ['-p', root]],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings', root]],
  [
    'imports',
    node(),
    [
      '--import',
      join(root, 'scripts/loader.mjs'),
      '--test',
      '--test-reporter=dot',
      join(root, 'src/imports.test.ts'),
    ],
  ],
]
let failed = 0
for (const [name, program, args] of checks) {
  const { status } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name}`)
  if (status !== 0) failed++
}
process.exit(failed === 0 ? 0 : 1)
