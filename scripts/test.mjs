// `npm test [file …]`: types, lint and format, a build, then every test, or those that are named. What needs Docker,
// Chromium or Caddy runs when they are there, and says what it skipped when they are not.
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { endOf, node, onOurNode, root, setUp } from './setup.mjs'

setUp()
await onOurNode()

const run = (name, program, args) => {
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  })
  if (status !== 0) {
    console.error(`${name} failed`)
    process.exit(status ?? 1)
  }
}
const path = `${join(root, 'node_modules/.bin')}:${process.env.PATH}`
const bin = name => join(root, 'node_modules/.bin', name)
const named = process.argv.slice(2)

if (named.length === 0) {
  run('types', bin('tsc'), ['-p', root])
  run('lint and format', bin('biome'), ['check', '--error-on-warnings', root])
}
run('build', node(), [join(root, 'esbuild.config.mjs')])

const folders = ['src', 'control-plane', 'plugins', 'views', 'runtime', 'jobs-template', 'e2e', 'scripts']
const files =
  named.length > 0
    ? named
    : fs
        .globSync(
          folders.map(folder => `${folder}/**/*.test.ts`),
          { cwd: root },
        )
        .sort()
const options = ['--test-concurrency=2', '--test-timeout=180000', '--test-reporter=spec']
const tests = spawn(node(), ['--import', 'tsx', '--test', ...options, ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: path },
})
process.exit(await endOf(tests))
