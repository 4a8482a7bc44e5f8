// `npm run dev`: like `npm start`, and again after every change: a build that fails leaves what runs running.
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { node, onOurNode, root, setUp } from './setup.mjs'

setUp()
await onOurNode()

let program = null
const start = () => {
  program = spawn(node(), ['--enable-source-maps', join(root, 'dist/control-plane.js')], { stdio: 'inherit' })
}
const stop = () =>
  new Promise(resolve => {
    if (!program || program.exitCode !== null || program.signalCode !== null) return resolve()
    program.once('exit', resolve)
    program.kill('SIGTERM')
  })

let building = false
let again = false
const rebuild = async () => {
  if (building) {
    again = true
    return
  }
  building = true
  const build = spawnSync(node(), [join(root, 'esbuild.config.mjs')], { stdio: ['ignore', 2, 2] })
  if (build.status === 0) {
    await stop()
    start()
  } else console.error('The build failed; what ran before goes on.')
  building = false
  if (again) {
    again = false
    await rebuild()
  }
}

let timer
for (const folder of ['src', 'control-plane', 'plugins', 'views', 'runtime', 'cli', 'sdk', 'jobs-template']) {
  fs.watch(join(root, folder), { recursive: true }, (_, file) => {
    if (file?.includes('.test.')) return
    clearTimeout(timer)
    timer = setTimeout(() => void rebuild(), 100)
  })
}
process.on('SIGINT', () => {})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop().then(() => process.exit(0)))
await rebuild()
